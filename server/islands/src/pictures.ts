/**
 * The pictures: drawn from the data of the page, opened by click and key, saved as SVG and PNG.
 *
 * What each picture needs to be laid out is loaded when it is drawn. The page tells the same as a table, so that whatever
 * fails here leaves that.
 */
import { announce, ask, askJson, find, findAll, make } from "./shared/page";
import type { Drawn, LegendLine, Picture } from "./pictures/data";
import { makeMovable } from "./pictures/moving";
import { savePng, saveSvg } from "./pictures/saving";
import { shape } from "./pictures/svg";

async function drawerOf(kind: string): Promise<(picture: Picture) => Drawn> {
  switch (kind) {
    case "network":
      return (await import("./pictures/forces")).draw;
    case "matrix":
      return (await import("./pictures/grid")).draw;
    case "timeline":
      return (await import("./pictures/spans")).draw;
    default:
      return (await import("./pictures/layered")).draw;
  }
}

async function show(figure: HTMLElement): Promise<void> {
  const box = find("[data-drawing]", figure);
  const waiting = find("[data-waiting]", figure);
  if (box === null || waiting === null) return;
  waiting.textContent = "The picture is being drawn …";
  try {
    const picture = await askJson<Picture>(figure.dataset["picture"] ?? "");
    const drawn = (await drawerOf(picture.kind))(picture);
    const svg = shape("svg", { viewBox: `0 0 ${drawn.width} ${drawn.height}`, role: "group", "aria-labelledby": "figure-title", "aria-describedby": "figure-read" });
    svg.append(...drawn.content);
    box.replaceChildren(svg);
    box.hidden = false;
    waiting.hidden = true;
    const moving = makeMovable(box, svg, drawn);
    showBar(figure, picture, drawn, moving);
    showLegend(figure, drawn.legend);
    for (const each of findAll("[data-keys]", figure)) each.hidden = false;
    lighting(svg, drawn);
    opening(figure, drawn);
    figure.dataset["drawn"] = picture.kind;
  } catch (error) {
    waiting.textContent = `The picture could not be drawn: ${error instanceof Error ? error.message : String(error)}. The table has all of it.`;
    waiting.hidden = false;
  }
}

function showBar(figure: HTMLElement, picture: Picture, drawn: Drawn, moving: ReturnType<typeof makeMovable>): void {
  const bar = find("[data-bar]", figure);
  if (bar === null) return;
  const button = (words: string, name: string, action: () => void): HTMLButtonElement => {
    const made = make("button", { type: "button", class: "second", ...(name === words ? {} : { "aria-label": name, title: name }) }, words);
    made.addEventListener("click", action);
    return made;
  };
  const wide = button("Wider", "Wider", () => {
    const beside = figure.parentElement?.classList.toggle("wide") ?? false;
    wide.textContent = beside ? "Beside the table" : "Wider";
  });
  bar.append(
    button("−", "Smaller", () => moving.grow(0.8)),
    button("+", "Larger", () => moving.grow(1.25)),
    button("Whole", "Show the whole picture", () => moving.whole()),
    wide,
    button("SVG", "Save as SVG", () => saveSvg(picture, drawn)),
    button("PNG", "Save as PNG", () => void savePng(picture, drawn)),
  );
  bar.hidden = false;
}

function showLegend(figure: HTMLElement, legend: readonly LegendLine[]): void {
  const place = find("[data-legend]", figure);
  if (place === null || legend.length === 0) return;
  const list = make("ul", { "aria-label": "Legend" });
  for (const entry of legend) {
    const sample = shape("svg", { width: 44, height: 18, viewBox: "0 0 44 18", "aria-hidden": "true", focusable: "false" });
    sample.append(...entry.sample);
    list.append(make("li", {}, sample, make("bdi", {}, entry.words)));
  }
  place.replaceChildren(list);
  place.hidden = false;
}

/** What hangs together with what one points at, or has the focus on, stands out. */
function lighting(svg: SVGElement, drawn: Drawn): void {
  const items = new Map(drawn.items.map((item) => [item.key, item]));
  const light = (target: EventTarget | null): void => {
    const key = target instanceof Element ? target.closest("[data-key]")?.getAttribute("data-key") : undefined;
    const item = key === null || key === undefined ? undefined : items.get(key);
    const shown = item === undefined || item.near.length === 0 ? null : new Set([item.key, ...item.near]);
    svg.classList.toggle("lit", shown !== null);
    for (const each of drawn.items) {
      for (const element of [each.element, each.badge]) element?.classList.toggle("near", shown?.has(each.key) ?? false);
    }
  };
  svg.addEventListener("pointerover", (event) => light(event.target));
  svg.addEventListener("pointerleave", () => light(null));
  // On the box: Chromium lets Tab stop at an SVG that listens for the focus.
  svg.parentElement?.addEventListener("focusin", (event) => light(event.target));
  svg.parentElement?.addEventListener("focusout", () => light(null));
}

function opening(figure: HTMLElement, drawn: Drawn): void {
  const panel = find("[data-evidence]");
  const page = figure.dataset["page"] ?? "";
  if (panel === null) return;
  const addressOf = (key: string, more = ""): string => `${page}${page.includes("?") ? "&" : "?"}${more}open=${encodeURIComponent(key)}`;
  const mark = (key: string): void => {
    for (const item of drawn.items) {
      if (item.key === key) item.element.setAttribute("aria-current", "true");
      else item.element.removeAttribute("aria-current");
    }
    for (const link of findAll("table [data-key]")) link.closest("tr")?.classList.toggle("opened", link.dataset["key"] === key);
  };
  let latest = 0;
  const open = async (key: string, push: boolean, focus: boolean): Promise<void> => {
    const mine = ++latest;
    const answer = await ask(key === "" ? `${page}${page.includes("?") ? "&" : "?"}part=evidence` : addressOf(key, "part=evidence&"));
    const text = await answer.text();
    if (mine !== latest) return;
    // The fragment is our own page's, escaped by the server.
    panel.replaceChildren(...new DOMParser().parseFromString(text, "text/html").body.childNodes);
    mark(key);
    if (push) history.pushState({ open: key }, "", addressOf(key));
    if (focus || window.innerWidth < 900) panel.focus({ preventScroll: false });
    announce(`Opened: ${find("#evidence-title", panel)?.textContent ?? ""}`);
  };
  for (const item of drawn.items) item.element.setAttribute("href", `${addressOf(item.key)}#evidence`);
  const clicked = (event: MouseEvent): void => {
    const link = event.target instanceof Element ? event.target.closest("[data-key]") : null;
    if (link === null || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    const byKey = event.detail === 0;
    open(link.getAttribute("data-key") ?? "", true, byKey).catch(() => window.location.assign(`${addressOf(link.getAttribute("data-key") ?? "")}#evidence`));
  };
  figure.addEventListener("click", clicked);
  find("table.told")?.addEventListener("click", clicked);
  window.addEventListener("popstate", () => void open(new URLSearchParams(window.location.search).get("open") ?? "", false, false));
  mark(figure.dataset["open"] ?? "");
}

for (const figure of findAll("figure[data-picture]")) void show(figure);
