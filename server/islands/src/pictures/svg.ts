/**
 * Making SVG: elements, texts that fit, lines with heads.
 *
 * All looks are attributes and all colours are variables of the page's style sheet, so that a drawing follows light and
 * dark on the page, and stands for itself where it is saved (`saving.ts` puts the values in).
 */

const NAMESPACE = "http://www.w3.org/2000/svg";

export const FONT = 'ui-serif, Charter, "Iowan Old Style", Georgia, "Noto Serif CJK KR", serif';
export const SIZE = 13;
export const LEADING = 1.28;
const OPENING = /[([{“‘«「『（]$/;

export type Attributes = Record<string, string | number>;

export interface Point {
  x: number;
  y: number;
}

/** Make an element; texts become text, never markup. */
export function shape(name: string, attributes: Attributes = {}, ...children: readonly (Node | string)[]): SVGElement {
  const made = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, typeof value === "number" ? round(value) : value);
  made.append(...children);
  return made;
}

/** A link to what a node or tie rests on: its title is its name for those who hear it, and it takes the focus. */
export function opens(key: string, name: string, ...children: readonly SVGElement[]): SVGElement {
  return shape("a", { "data-key": key, href: "#evidence", tabindex: -1 }, shape("title", {}, name), ...children);
}

export function round(value: number): string {
  return String(Math.round(value * 100) / 100);
}

let context: CanvasRenderingContext2D | null = null;

/** The width of a text, in pixels. */
export function widthOf(text: string, size = SIZE, weight = "400"): number {
  context ??= document.createElement("canvas").getContext("2d");
  if (context === null) return text.length * size * 0.55;
  context.font = `${weight} ${size}px ${FONT}`;
  return context.measureText(text).width;
}

/** Cut a text into lines that are no wider than so many pixels; what does not fit ends with dots. */
export function fit(text: string, width: number, lines: number, size = SIZE, weight = "400"): string[] {
  const words: string[] = [];
  for (const part of new Intl.Segmenter(undefined, { granularity: "word" }).segment(text)) {
    const stops = !part.isWordLike && part.segment.trim() !== "" && !OPENING.test(part.segment); // begins no line
    if (words.length > 0 && (stops || OPENING.test(words.at(-1) ?? ""))) words[words.length - 1] += part.segment;
    else words.push(part.segment);
  }
  const found: string[] = [];
  let line = "";
  for (const word of words.flatMap((word) => (widthOf(word, size, weight) > width ? [...word] : [word]))) {
    if (line.trim() !== "" && widthOf((line + word).trimEnd(), size, weight) > width) {
      found.push(line.trim());
      line = "";
      if (found.length === lines) {
        found[lines - 1] = dotted(found[lines - 1] ?? "", width, size, weight);
        return found;
      }
    }
    line += word;
  }
  if (line.trim() !== "") found.push(line.trim());
  return found;
}

function dotted(line: string, width: number, size: number, weight: string): string {
  const letters = [...line];
  while (letters.length > 1 && widthOf(`${letters.join("")}…`, size, weight) > width) letters.pop();
  return `${letters.join("").trimEnd()}…`;
}

/** Lines of text, one under the other; `y` is the middle of the block. */
export function texts(lines: readonly string[], x: number, y: number, looks: Attributes = {}): SVGElement[] {
  const size = typeof looks["font-size"] === "number" ? looks["font-size"] : SIZE;
  const step = size * LEADING;
  const first = y - ((lines.length - 1) * step) / 2 + size * 0.34;
  return lines.map((line, place) =>
    shape("text", { x, y: first + place * step, "font-size": size, "font-family": FONT, fill: "var(--ink)", "unicode-bidi": "isolate", ...looks }, line),
  );
}

/**
 * A path through points, smooth and without overshooting (monotone cubic interpolation).
 *
 * Source: Steffen, M. (1990), A simple method for monotonic interpolation in one dimension; as in d3's `curveMonotoneX`.
 */
export function along(points: readonly Point[]): string {
  const steps = points.slice(1).map((to, place) => {
    const from = points[place] ?? to;
    return { from, to, wide: to.x - from.x || 1e-6, slope: (to.y - from.y) / (to.x - from.x || 1e-6) };
  });
  const [first, last] = [steps[0], steps.at(-1)];
  if (first === undefined || last === undefined) return "";
  const inner = steps.slice(1).map((after, place) => {
    const before = steps[place] ?? after;
    const mean = (before.slope * after.wide + after.slope * before.wide) / (before.wide + after.wide || 1e-6);
    return (Math.sign(before.slope) + Math.sign(after.slope)) * Math.min(Math.abs(before.slope), Math.abs(after.slope), 0.5 * Math.abs(mean)) || 0;
  });
  const tangents = [inner.length > 0 ? (3 * first.slope - (inner[0] ?? 0)) / 2 : first.slope, ...inner, inner.length > 0 ? (3 * last.slope - (inner.at(-1) ?? 0)) / 2 : last.slope];
  let path = `M${round(first.from.x)} ${round(first.from.y)}`;
  steps.forEach(({ from, to, wide }, place) => {
    const third = wide / 3;
    path += `C${round(from.x + third)} ${round(from.y + third * (tangents[place] ?? 0))} ${round(to.x - third)} ${round(to.y - third * (tangents[place + 1] ?? 0))} ${round(to.x)} ${round(to.y)}`;
  });
  return path;
}

/** The head of an arrow that comes from one point and ends at another. */
export function head(from: Point, to: Point, colour: string, size = 8): SVGElement {
  const angle = Math.atan2(to.y - from.y, to.x - from.x);
  const corner = (turn: number): string =>
    `${round(to.x - size * Math.cos(angle + turn))} ${round(to.y - size * Math.sin(angle + turn))}`;
  return shape("path", { d: `M${round(to.x)} ${round(to.y)}L${corner(0.42)}L${corner(-0.42)}Z`, fill: colour });
}

/** A cross, as on what is against. */
export function cross(x: number, y: number, size: number, colour: string, width = 2.2): SVGElement {
  return shape("path", {
    d: `M${round(x - size)} ${round(y - size)}L${round(x + size)} ${round(y + size)}M${round(x + size)} ${round(y - size)}L${round(x - size)} ${round(y + size)}`,
    stroke: colour,
    "stroke-width": width,
    "stroke-linecap": "round",
    fill: "none",
  });
}

/** A line that is seen, and a broad one that is not, for fingers and mice. */
export function line(path: string, colour: string, width: number, dash = ""): SVGElement[] {
  const seen: Attributes = { d: path, fill: "none", stroke: colour, "stroke-width": width, "stroke-linecap": "round" };
  if (dash !== "") seen["stroke-dasharray"] = dash;
  return [
    shape("path", { d: path, fill: "none", stroke: "transparent", "stroke-width": Math.max(14, width + 8) }),
    shape("path", seen),
  ];
}

/** Dashes by which ties that are not simply affirmed are told apart, in colour and without. */
export const DASHES: Record<string, string> = { affirmed: "", hedged: "7 4", open: "2 4", denied: "10 3 2 3", wished: "1 5" };

/** Colours that tell things apart; whoever comes later has none of their own. */
export const HUES = [
  "var(--kind-relation)",
  "var(--kind-prescription)",
  "var(--kind-evaluation)",
  "var(--kind-comparison)",
  "var(--kind-quantity)",
  "var(--kind-interpretation)",
  "var(--kind-argument)",
];
