/** The timeline: each entry a bar from the first day to the last that its date can mean. */

import { counted } from "./data";
import type { Drawn, Item, LegendLine, Picture, PictureNode } from "./data";
import { fit, opens, shape, texts, widthOf } from "./svg";

const NAMES = 330;
const WIDE = 620;
const ROW = 40;
const TOP = 34;
const DAY = 86_400_000;

const COLOURS: Record<string, string> = { event: "var(--kind-comparison)", step: "var(--kind-prescription)", stance: "var(--kind-relation)" };
const WORDS: Record<string, string> = { event: "event", step: "step of an agreement", stance: "stance" };

export function draw(picture: Picture): Drawn {
  const spans = picture.nodes.map((node) => ({ node, from: days(node.earliest), to: days(node.latest) + 1 }));
  const scale = scaleFor(spans);
  const height = TOP + picture.nodes.length * ROW + 26;
  const back: SVGElement[] = [];
  for (const tick of scale.ticks) {
    back.push(shape("path", { d: `M${tick.x} ${TOP - 6}V${height - 22}`, stroke: "var(--line)", "stroke-width": 1 }));
    for (const y of [TOP - 16, height - 10]) back.push(...texts([tick.words], tick.x, y, { "text-anchor": "middle", "font-size": 12, fill: "var(--quiet)" }));
  }
  const items = spans.map(({ node, from, to }, place) => drawEntry(node, scale.at(from), scale.at(to), TOP + place * ROW));
  return { content: [...back, ...items.map((item) => item.element)], width: NAMES + WIDE + 40, height, items, legend: legendOf(picture, scale.stretched) };
}

function days(iso: string): number {
  const [year, month, day] = iso.split("-").map(Number);
  const date = new Date(0);
  date.setUTCFullYear(year ?? 0, (month ?? 1) - 1, day ?? 1);
  return date.getTime() / DAY;
}

function startOf(year: number, month = 0): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month, 1);
  return date.getTime() / DAY;
}

interface Scale {
  at(day: number): number;
  ticks: { x: number; words: string }[];
  stretched: boolean;
}

/** Days to places. Where most entries crowd into a small part of the time, years with entries are given more room. */
function scaleFor(spans: readonly { from: number; to: number }[]): Scale {
  const yearOf = (day: number): number => new Date(day * DAY).getUTCFullYear();
  const first = yearOf(Math.min(...spans.map((span) => span.from)));
  const last = yearOf(Math.max(...spans.map((span) => span.to)) - 1);
  const years = last - first + 1;
  if (years > 400 || years < 1) return plain(spans);
  const weights = new Array<number>(years).fill(1);
  const starts = spans.map((span) => yearOf(span.from)).sort((a, b) => a - b);
  const half = Math.ceil(starts.length / 2);
  const tightest = Math.min(...starts.slice(0, starts.length - half + 1).map((year, place) => (starts[place + half - 1] ?? last) - year + 1));
  const stretched = years > 12 && tightest / years < 0.2;
  if (stretched) {
    for (let place = 0; place < years; place++) {
      const here = spans.filter((span) => [yearOf(span.from), yearOf(span.to - 1)].includes(first + place)).length;
      weights[place] = here === 0 ? 0.12 : 0.6 + Math.sqrt(here);
    }
  }
  const sum = weights.reduce((a, b) => a + b, 0);
  const edges = [NAMES];
  for (const weight of weights) edges.push((edges.at(-1) ?? NAMES) + (weight / sum) * WIDE);
  const at = (day: number): number => {
    const year = Math.min(Math.max(yearOf(day), first), last);
    const left = edges[year - first] ?? NAMES;
    const right = edges[year - first + 1] ?? NAMES + WIDE;
    const share = (day - startOf(year)) / (startOf(year + 1) - startOf(year));
    return left + (right - left) * Math.min(Math.max(share, 0), 1);
  };
  const ticks: Scale["ticks"] = [];
  let taken = -Infinity;
  for (let year = first; year <= last + 1; year++) {
    const months = years <= 3 ? [0, 3, 6, 9] : [0];
    for (const month of year === last + 1 ? [0] : months) {
      const x = year === last + 1 ? NAMES + WIDE : at(startOf(year, month));
      const words = month === 0 ? String(year) : `${year}-${String(month + 1).padStart(2, "0")}`;
      if (x - taken < widthOf(words, 12) + 12) continue;
      ticks.push({ x, words });
      taken = x;
    }
  }
  return { at, ticks, stretched };
}

/** For ages: days to places evenly, with a tick at either end. */
function plain(spans: readonly { from: number; to: number }[]): Scale {
  const from = Math.min(...spans.map((span) => span.from));
  const to = Math.max(...spans.map((span) => span.to), from + 1);
  const at = (day: number): number => NAMES + ((day - from) / (to - from)) * WIDE;
  const year = (day: number): string => String(new Date(day * DAY).getUTCFullYear());
  return { at, ticks: [{ x: NAMES, words: year(from) }, { x: NAMES + WIDE, words: year(to) }], stretched: false };
}

function drawEntry(node: PictureNode, left: number, right: number, top: number): Item {
  const colour = COLOURS[node.kind] ?? "var(--quiet)";
  const y = top + ROW / 2;
  const what = node.kind === "step" ? `${node.markName}: ${node.label}` : node.label;
  const who = node.whoNames.join(", ");
  const wide = NAMES - 24;
  const lines = who === "" ? fit(what, wide, 2) : fit(what, wide, 1);
  const drawn: SVGElement[] = [shape("rect", { x: 0, y: top, width: NAMES + WIDE + 40, height: ROW, fill: "transparent" })];
  if (who === "") drawn.push(...texts(lines, 8, y));
  else drawn.push(...texts(lines, 8, y - 8), ...texts(fit(`${node.day} · ${who}`, wide, 1, 11.5), 8, y + 9, { "font-size": 11.5, fill: "var(--quiet)" }));
  drawn.push(...mark(node, left, right, y, colour));
  const how = node.kind === "stance" && node.mark !== "affirmed" ? `, ${node.mark}` : node.kind === "stance" ? "" : `, ${node.markName}`;
  const name = `${node.day}: ${node.label}; ${WORDS[node.kind] ?? node.kind}${how}${who === "" ? "" : `; ${who}`}; from ${node.earliest} to ${node.latest}; ${counted(node.assertions.length, "assertion", "assertions")}`;
  return { key: node.key, element: opens(node.key, name, ...drawn), x: (left + right) / 2, y, near: [] };
}

/** A bar where the date is uncertain or a span; else a sign: a square for steps, a diamond for events, a disc for stances. */
function mark(node: Pick<PictureNode, "kind" | "mark">, left: number, right: number, y: number, colour: string): SVGElement[] {
  const middle = (left + right) / 2;
  const sure = node.kind !== "stance" || node.mark === "affirmed";
  const looks = { fill: sure ? colour : "var(--paper)", stroke: colour, "stroke-width": 2 };
  if (right - left > 13) {
    const radius = { step: 0, event: 3, stance: 6 }[node.kind as "step"] ?? 6;
    return [shape("rect", { x: left, y: y - 6, width: right - left, height: 12, rx: radius, ...looks })];
  }
  if (node.kind === "step") return [shape("rect", { x: middle - 6, y: y - 6, width: 12, height: 12, ...looks })];
  if (node.kind === "event") return [shape("path", { d: `M${middle} ${y - 8}L${middle + 8} ${y}L${middle} ${y + 8}L${middle - 8} ${y}Z`, ...looks })];
  return [shape("circle", { cx: middle, cy: y, r: 6, ...looks })];
}

function legendOf(picture: Picture, stretched: boolean): LegendLine[] {
  const lines: LegendLine[] = [];
  for (const [kind, words] of Object.entries(WORDS)) {
    if (picture.nodes.some((node) => node.kind === kind)) lines.push({ sample: mark({ kind: kind as PictureNode["kind"], mark: "affirmed" }, 16, 28, 9, COLOURS[kind] ?? ""), words });
  }
  if (picture.nodes.some((node) => node.kind === "stance" && node.mark !== "affirmed")) lines.push({ sample: mark({ kind: "stance", mark: "hedged" }, 16, 28, 9, COLOURS["stance"] ?? ""), words: "stance that is hedged, denied, left open, or wanted or feared" });
  lines.push({ sample: mark({ kind: "stance", mark: "affirmed" }, 4, 40, 9, "var(--quiet)"), words: "somewhere in, or during, this time" });
  if (stretched) lines.push({ sample: [shape("path", { d: "M4 4V14M10 4V14M16 4V14M40 4V14", stroke: "var(--quiet)" })], words: "years with much in them are drawn wider" });
  return lines;
}
