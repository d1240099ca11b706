/** Maps that are read from left to right: causes and effects, premises and conclusions, who sees whom as what. */

import { Graph, layout } from "@dagrejs/dagre";
import { counted } from "./data";
import type { Drawn, Item, LegendLine, Picture, PictureNode, PictureTie } from "./data";
import { tellHolders } from "./holders";
import type { Holders } from "./holders";
import { along, cross, DASHES, fit, FONT, head, LEADING, line, opens, shape, SIZE, texts, widthOf } from "./svg";
import type { Point } from "./svg";

const SIGNS: Record<string, [string, string]> = {
  increases: ["+", "raises"],
  decreases: ["−", "lowers"],
  noEffect: ["0", "does not alter"],
  mixed: ["±", "raises and lowers"],
  unclear: ["?", "alters, which way is not told"],
};
const VALENCES: Record<string, [string, string]> = { positive: ["+", "well"], negative: ["−", "ill"], mixed: ["±", "well and ill"] };
const ATTACKS = new Set(["rebuts", "undercuts", "undermines"]);
const DOTS = "1 4";
const WIDEST: Record<string, number> = { factor: 168, content: 214, argument: 120, agent: 170 };

interface Box {
  node: PictureNode;
  lines: string[];
  banner: string;
  width: number;
  height: number;
}

export function draw(picture: Picture): Drawn {
  const holders = tellHolders(picture);
  const graph = new Graph({ multigraph: true, directed: true });
  graph.setGraph({ rankdir: "LR", nodesep: 14, edgesep: 10, ranksep: picture.kind === "perceptions" ? 80 : 34, marginx: 12, marginy: 12 });
  graph.setDefaultEdgeLabel(() => ({}));
  const boxes = new Map(picture.nodes.map((node) => [node.key, boxOf(node)]));
  for (const [key, box] of boxes) graph.setNode(key, { width: box.width, height: box.height });
  for (const tie of picture.ties) {
    const words = badge(picture, tie, holders);
    graph.setEdge(tie.source, tie.target, { width: words === "" ? 0 : widthOf(words, 12, "700") + 14, height: words === "" ? 0 : 20, labelpos: "c", minlen: 1 }, tie.key);
  }
  layout(graph);
  const ties: Item[] = [];
  const parts: Item[] = [];
  for (const tie of picture.ties) {
    const laid = graph.edge({ v: tie.source, w: tie.target, name: tie.key }) as { points: Point[]; x?: number; y?: number };
    ties.push(drawTie(picture, tie, laid, holders));
  }
  const near = new Map<string, string[]>();
  for (const tie of picture.ties) {
    for (const [one, other] of [[tie.source, tie.target], [tie.target, tie.source]] as const) near.set(one, [...(near.get(one) ?? []), other, tie.key]);
  }
  for (const box of boxes.values()) {
    const laid = graph.node(box.node.key) as Point;
    parts.push(drawBox(picture, box, laid, near.get(box.node.key) ?? [], holders));
  }
  const size = graph.graph() as { width?: number; height?: number };
  const most = picture.nodes.reduce<PictureNode | undefined>((a, b) => (a === undefined || b.weight > a.weight ? b : a), undefined);
  const heaviest = parts.find((part) => part.key === most?.key);
  const items = [...parts, ...ties].sort((a, b) => a.x - b.x || a.y - b.y);
  return {
    content: [...ties.map((item) => item.element), ...ties.flatMap((item) => item.badge ?? []), ...parts.map((item) => item.element)],
    width: Math.ceil(size.width ?? 300),
    height: Math.ceil(size.height ?? 200),
    items,
    legend: legendOf(picture, holders),
    ...(heaviest === undefined ? {} : { middle: { x: heaviest.x, y: heaviest.y } }),
  };
}

function boxOf(node: PictureNode): Box {
  const width = WIDEST[node.kind] ?? 170;
  if (node.kind === "argument") {
    const lines = fit(node.markName || "therefore", width - 20, 2, 12);
    return { node, lines, banner: "", width: Math.max(34, ...lines.map((l) => widthOf(l, 12) + 24)), height: lines.length * 12 * LEADING + 14 };
  }
  const lines = fit(node.label, width - 20, node.kind === "content" ? 5 : 4);
  const banner = node.kind === "factor" ? ({ positive: "cooperation", negative: "friction", mixed: "cooperation and friction" }[node.mark] ?? "") : "";
  const wide = Math.max(...lines.map((text) => widthOf(text)), banner === "" ? 0 : widthOf(banner, 11, "700") + 18) + 20;
  return { node, lines, banner, width: wide, height: lines.length * SIZE * LEADING + 14 + (banner === "" ? 0 : 17) };
}

/** What stands on the line itself. */
function badge(picture: Picture, tie: PictureTie, holders: Holders): string {
  if (picture.kind === "causes") return `${SIGNS[tie.kind]?.[0] ?? "?"} ${holders.letters(tie.holders)}`;
  if (picture.kind === "perceptions") {
    const [sign, words] = VALENCES[tie.kind] ?? ["", ""];
    return [fit(tie.labelName || words, 130, 1, 12)[0] ?? "", tie.labelName ? sign : `(${sign})`].join(" ").trim();
  }
  if (tie.kind === "link") return fit(tie.labelName, 130, 1, 12)[0] ?? "";
  return ATTACKS.has(tie.kind) ? tie.kind : "";
}

function drawTie(picture: Picture, tie: PictureTie, laid: { points: Point[]; x?: number; y?: number }, holders: Holders): Item {
  const attack = ATTACKS.has(tie.kind);
  const colour = colourOf(picture, tie, holders);
  const points = laid.points;
  const end = points.at(-1) ?? { x: 0, y: 0 };
  const before = points.at(-2) ?? end;
  const middle = laid.x === undefined ? (points[Math.floor(points.length / 2)] ?? end) : { x: laid.x, y: laid.y ?? 0 };
  const width = tie.pathways.length > 0 ? 3.2 : Math.min(1.4 + 0.3 * (tie.weight - 1), 3);
  const drawn = [...line(along(points), colour, width, attack ? "6 4" : tie.kind === "link" ? DOTS : (DASHES[tie.how] ?? ""))];
  drawn.push(attack ? cross(end.x - 5, end.y, 4, colour) : head(before, end, colour, tie.pathways.length > 0 ? 10 : 8));
  const words = badge(picture, tie, holders);
  const above = shape("g", { "data-key": tie.key, "aria-hidden": "true" });
  if (words !== "") {
    const wide = widthOf(words, 12, "700") + 12;
    above.append(shape("rect", { x: middle.x - wide / 2, y: middle.y - 10, width: wide, height: 20, rx: 10, fill: "var(--paper)", stroke: colour, "stroke-width": 1.2 }));
    above.append(...texts([words], middle.x, middle.y, { "font-size": 12, "font-weight": 700, "text-anchor": "middle", fill: colour }));
    if (tie.how === "denied") above.append(shape("path", { d: `M${middle.x - wide / 2 + 3} ${middle.y}H${middle.x + wide / 2 - 3}`, stroke: colour, "stroke-width": 1.5 }));
  }
  return { key: tie.key, element: opens(tie.key, told(picture, tie), ...drawn), badge: above, x: middle.x, y: middle.y, near: [tie.source, tie.target] };
}

function colourOf(picture: Picture, tie: PictureTie, holders: Holders): string {
  if (ATTACKS.has(tie.kind)) return "var(--problem)";
  if (picture.kind === "perceptions") return { positive: "var(--good)", negative: "var(--problem)", mixed: "var(--kind-prescription)" }[tie.kind] ?? "var(--quiet)";
  return tie.kind === "link" ? "var(--quiet)" : holders.colour(tie.holders);
}

function told(picture: Picture, tie: PictureTie): string {
  const ends = new Map(picture.nodes.map((node) => [node.key, node.label]));
  const between: Record<string, string> = { premise: "is a premise of", conclusion: "leads to" };
  const verb =
    picture.kind === "perceptions"
      ? `sees ${tie.labelName === "" ? "" : `as ${tie.labelName} `}${VALENCES[tie.kind] ? `(${VALENCES[tie.kind]?.[1]}) ` : ""}`
      : (SIGNS[tie.kind]?.[1] ?? between[tie.kind] ?? (tie.kind === "link" ? tie.labelName : tie.kind));
  const who = picture.kind === "perceptions" ? "" : `; ${tie.holderNames.join(", ")}`;
  return `${ends.get(tie.source) ?? ""} – ${verb.trim()} – ${ends.get(tie.target) ?? ""}; ${picture.hows[tie.how] ?? tie.how}${who}; ${counted(tie.assertions.length, "assertion", "assertions")}`;
}

function drawBox(picture: Picture, box: Box, at: Point, near: string[], holders: Holders): Item {
  const { node, width, height } = box;
  const left = at.x - width / 2;
  const top = at.y - height / 2;
  const colour = box.banner === "" ? (node.kind === "argument" ? holders.colour(node.who) : "var(--quiet)") : node.mark === "positive" ? "var(--good)" : "var(--problem)";
  const drawn: SVGElement[] = [
    shape("rect", { x: left, y: top, width, height, rx: node.kind === "argument" ? height / 2 : 6, fill: node.kind === "argument" ? "var(--paper)" : "var(--raised)", stroke: colour, "stroke-width": box.banner === "" ? 1 : 2.4 }),
  ];
  if (box.banner !== "") {
    const sign = node.mark === "positive" ? "◆" : "◇";
    drawn.push(shape("text", { x: at.x, y: top + 15, "font-size": 11, "font-weight": 700, "font-family": FONT, "text-anchor": "middle", fill: colour }, `${sign} ${box.banner}`));
  }
  const size = node.kind === "argument" ? 12 : SIZE;
  drawn.push(...texts(box.lines, at.x, at.y + (box.banner === "" ? 0 : 8), { "text-anchor": "middle", "font-size": size, ...(node.kind === "argument" ? { "font-style": "italic", fill: colour } : {}) }));
  const kind = node.kind === "argument" ? `argument by ${node.whoNames.join(", ")}: ${node.markName || node.label}` : node.label;
  const role = picture.kind === "perceptions" ? `, ${node.mark}` : box.banner === "" ? "" : `, ${box.banner}`;
  return { key: node.key, element: opens(node.key, `${kind}${role}; ${counted(node.assertions.length, "assertion", "assertions")}`, ...drawn), x: at.x, y: at.y, near };
}

function legendOf(picture: Picture, holders: Holders): LegendLine[] {
  const stroke = (colour: string, dash = "", width = 2): SVGElement => shape("path", { d: "M2 9H42", stroke: colour, "stroke-width": width, "stroke-dasharray": dash || "none", fill: "none" });
  const sign = (text: string, colour = "var(--ink)"): SVGElement => shape("text", { x: 22, y: 14, "font-size": 15, "font-weight": 700, "font-family": FONT, "text-anchor": "middle", fill: colour }, text);
  const ways = new Set(picture.ties.map((tie) => tie.how));
  const kinds = new Set(picture.ties.map((tie) => tie.kind));
  const lines: LegendLine[] = [];
  if (picture.kind === "causes") for (const [kind, [text, words]] of Object.entries(SIGNS)) if (kinds.has(kind)) lines.push({ sample: [sign(text)], words });
  if (picture.kind === "causes" && picture.ties.some((tie) => tie.pathways.length > 0)) lines.push({ sample: [stroke("var(--ink)", "", 3.4)], words: "step of a pathway" });
  if (picture.kind === "perceptions") {
    const colours: Record<string, string> = { positive: "var(--good)", negative: "var(--problem)", mixed: "var(--kind-prescription)" };
    for (const [kind, [text, words]] of Object.entries(VALENCES)) if (kinds.has(kind)) lines.push({ sample: [sign(text, colours[kind])], words });
  }
  for (const [how, words] of Object.entries(picture.hows)) if (how !== "affirmed" && ways.has(how)) lines.push({ sample: [stroke("var(--ink)", DASHES[how])], words });
  if ([...kinds].some((kind) => ATTACKS.has(kind))) lines.push({ sample: [stroke("var(--problem)", "6 4"), cross(36, 9, 4, "var(--problem)")], words: "attack" });
  if (kinds.has("link")) lines.push({ sample: [stroke("var(--quiet)", DOTS)], words: "link between contents" });
  return picture.kind === "perceptions" ? lines : [...lines, ...holders.legend];
}
