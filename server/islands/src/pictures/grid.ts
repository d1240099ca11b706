/** The stance matrix: contents in rows, holders in columns, a sign where a holder stands. */

import { counted } from "./data";
import type { Drawn, Item, LegendLine, Picture, PictureTie } from "./data";
import { cross, fit, opens, shape, SIZE, texts, widthOf } from "./svg";

const NAMES = 300;
const CELL = 34;
const ROW = 40;
const TURN = 52;

export function draw(picture: Picture): Drawn {
  const rows = picture.nodes.filter((node) => node.kind === "content");
  const columns = picture.nodes.filter((node) => node.kind === "agent");
  const heads = columns.map((node) => fit(node.label, 150, 1, SIZE)[0] ?? "");
  const longest = Math.max(...heads.map((text) => widthOf(text)), 40);
  const angle = (TURN * Math.PI) / 180;
  const top = Math.ceil(longest * Math.sin(angle)) + 26;
  const width = NAMES + columns.length * CELL + Math.ceil(longest * Math.cos(angle)) + 16;
  const height = top + rows.length * ROW + 8;
  const grid: SVGElement[] = [];
  const items: Item[] = [];
  const rowAt = new Map(rows.map((node, place) => [node.key, top + place * ROW + ROW / 2]));
  const columnAt = new Map(columns.map((node, place) => [node.key, NAMES + place * CELL + CELL / 2]));
  rows.forEach((node, place) => {
    const y = top + place * ROW;
    if (place % 2 === 0) grid.push(shape("rect", { x: 0, y, width: NAMES + columns.length * CELL, height: ROW, fill: "var(--raised)" }));
    const family = node.markName === "" ? "" : node.markName;
    const wide = widthOf(family, 11) + 8;
    const lines = fit(node.label, NAMES - 26 - wide, 2);
    const drawn = [...texts(lines, 8, y + ROW / 2), ...texts([family], NAMES - 12, y + ROW / 2, { "font-size": 11, "text-anchor": "end", fill: "var(--quiet)", "font-style": "italic" })];
    const back = shape("rect", { x: 0, y, width: NAMES - 6, height: ROW, fill: "transparent" });
    const near = picture.ties.filter((tie) => tie.target === node.key).flatMap((tie) => [tie.key, tie.source]);
    items.push({ key: node.key, element: opens(node.key, `${node.label} (${family}): ${counted(node.weight, "holder", "holders")}`, back, ...drawn), x: NAMES - 40, y: y + ROW / 2, near });
  });
  columns.forEach((node, place) => {
    const x = NAMES + place * CELL + CELL / 2;
    grid.push(shape("path", { d: `M${x} ${top}V${height - 8}`, stroke: "var(--line)", "stroke-width": 1 }));
    const text = texts([heads[place] ?? ""], 0, 0, { transform: `translate(${x + 3} ${top - 10}) rotate(-${TURN})` });
    const near = picture.ties.filter((tie) => tie.source === node.key).flatMap((tie) => [tie.key, tie.target]);
    items.push({ key: node.key, element: opens(node.key, `${node.label}: ${counted(node.weight, "stance", "stances")}`, ...text), x, y: top - 14, near });
  });
  for (const tie of picture.ties) {
    const x = columnAt.get(tie.source) ?? 0;
    const y = rowAt.get(tie.target) ?? 0;
    const content = rows.find((node) => node.key === tie.target);
    const name = `${tie.holderNames.join(", ")} ${SIDES[tie.kind] ?? tie.kind}${tie.how === "hedged" ? ", hedged" : ""}: ${content?.label ?? ""} (${content?.markName ?? ""}); ${counted(tie.assertions.length, "assertion", "assertions")}`;
    items.push({ key: tie.key, element: opens(tie.key, name, shape("rect", { x: x - CELL / 2, y: y - ROW / 2, width: CELL, height: ROW, fill: "transparent" }), ...sign(tie, x, y)), x, y, near: [tie.source, tie.target] });
  }
  items.sort((a, b) => a.y - b.y || a.x - b.x);
  return { content: [...grid, ...items.map((item) => item.element)], width, height, items, legend: legendOf(picture) };
}

const SIDES: Record<string, string> = { affirms: "affirms", denies: "denies", both: "affirms and denies", open: "leaves open", lacks: "lacks the stance" };

function sign(tie: Pick<PictureTie, "kind" | "how">, x: number, y: number): SVGElement[] {
  const hedged = tie.how === "hedged";
  const size = hedged ? 4.5 : 8;
  const drawn: SVGElement[] = [];
  const yes = "var(--kind-relation)";
  const no = "var(--problem)";
  if (tie.kind === "affirms") drawn.push(shape("circle", { cx: x, cy: y, r: size, fill: yes }));
  if (tie.kind === "denies") drawn.push(cross(x, y, size * 0.8, no, hedged ? 2 : 3.2));
  if (tie.kind === "both") drawn.push(shape("path", { d: `M${x} ${y - size}A${size} ${size} 0 0 0 ${x} ${y + size}Z`, fill: yes }), cross(x + size * 0.6, y, size * 0.5, no, 2));
  if (tie.kind === "open") drawn.push(shape("circle", { cx: x, cy: y, r: 7, fill: "none", stroke: "var(--quiet)", "stroke-width": 2.2 }));
  if (tie.kind === "lacks") drawn.push(shape("path", { d: `M${x - 7} ${y}H${x + 7}`, stroke: "var(--quiet)", "stroke-width": 2.6, "stroke-linecap": "round" }));
  if (hedged) drawn.push(shape("circle", { cx: x, cy: y, r: 9.5, fill: "none", stroke: tie.kind === "denies" ? no : yes, "stroke-width": 1.3, "stroke-dasharray": "2.5 2.5" }));
  return drawn;
}

function legendOf(picture: Picture): LegendLine[] {
  const kinds = new Set(picture.ties.map((tie) => tie.kind));
  const lines = Object.entries(SIDES)
    .filter(([kind]) => kinds.has(kind))
    .map(([kind, words]) => ({ sample: sign({ kind, how: "affirmed" }, 22, 9), words }));
  if (picture.ties.some((tie) => tie.how === "hedged")) lines.push({ sample: sign({ kind: "affirms", how: "hedged" }, 22, 9), words: "hedged" });
  return lines;
}
