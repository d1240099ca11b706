/**
 * The explorer without waiting for pages: a choice asks for what it changes, and the address follows.
 *
 * The server renders all of it; this only puts the new part in the place of the old, keeps the focus where it was, and
 * offers names while one types.
 */
import { makeCombobox } from "./shared/combobox";
import { announce, ask, debounced, find, findAll } from "./shared/page";

const place = find("[data-explore]");
let asked: AbortController | undefined;

async function show(address: string, push: boolean): Promise<void> {
  if (place === null) return;
  asked?.abort();
  const mine = (asked = new AbortController());
  place.setAttribute("aria-busy", "true");
  try {
    const answer = await ask(address, { headers: { "X-Fragment": "1" }, signal: mine.signal });
    const text = await answer.text();
    const focused = document.activeElement?.id ?? "";
    const open = new Set(findAll<HTMLDetailsElement>("details[data-facet][open]", place).map((d) => d.dataset["facet"]));
    // The fragment is our own page's, escaped by the server.
    place.replaceChildren(...new DOMParser().parseFromString(text, "text/html").body.childNodes);
    for (const facet of findAll<HTMLDetailsElement>("details[data-facet]", place)) facet.open = open.has(facet.dataset["facet"]) || facet.open;
    if (push) history.pushState(null, "", answer.headers.get("Content-Location") ?? address);
    bind();
    if (focused !== "") document.getElementById(focused)?.focus({ preventScroll: true });
    announce(find("#found", place)?.textContent ?? "");
  } catch (error) {
    if (mine.signal.aborted) return;
    window.location.assign(address); // the page itself tells what is wrong
  } finally {
    if (asked === mine) place.removeAttribute("aria-busy");
  }
}

function addressOf(form: HTMLFormElement): string {
  const told = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === "string" && value.trim() !== "") told.append(name, value);
  const text = told.toString();
  return text === "" ? "/explore" : `/explore?${text}`;
}

function bind(): void {
  if (place === null) return;
  const form = find<HTMLFormElement>("form.facets", place);
  if (form === null) return;
  const typed = debounced(400, () => void show(addressOf(form), true));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void show(addressOf(form), true);
  });
  form.addEventListener("change", (event) => {
    if ((event.target as HTMLElement).id !== "words") void show(addressOf(form), true);
  });
  find("#words", form)?.addEventListener("input", typed);
  for (const field of findAll<HTMLInputElement>("input[data-suggest]", form)) {
    const kinds = (field.dataset["suggest"] ?? "").split(" ").map((kind) => `&kind=${encodeURIComponent(kind)}`).join("");
    makeCombobox(field, {
      address: (typed) => (typed === "" ? "" : `/suggest?q=${encodeURIComponent(typed)}${kinds}`),
      own: () => [],
    });
  }
  for (const link of findAll<HTMLAnchorElement>("a[data-goes]", place)) {
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
      event.preventDefault();
      void show(link.getAttribute("href") ?? "/explore", true).then(() => find("#found")?.focus());
    });
  }
}

window.addEventListener("popstate", () => void show(window.location.pathname + window.location.search, false));
bind();
