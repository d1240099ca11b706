/** The discourse network: actors, and perhaps contents, where forces put them. The same picture comes out every time. */

import { forceLink, forceManyBody, forceSimulation, forceX, forceY } from "d3-force";
import type { SimulationNodeDatum } from "d3-force";
import { counted } from "./data";
import type { Drawn, Item, LegendLine, Picture, PictureNode, PictureTie } from "./data";
import { cross, DASHES, fit, FONT, HUES, LEADING, line, opens, shape, SIZE, texts, widthOf } from "./svg";

const STEPS = 420;
const MARGIN = 16;
const PLAIN = "var(--quiet)";

interface Body extends SimulationNodeDatum {
  node: PictureNode;
  lines: string[];
  radius: number;
  /** Half of what the node and its name take up. */
  halfWidth: number;
  above: number;
  below: number;
  x: number;
  y: number;
}

export function draw(picture: Picture): Drawn {
  const most = Math.max(1, ...picture.nodes.filter((node) => node.kind === "agent").map((node) => node.weight));
  const bodies = picture.nodes.map((node) => bodyOf(node, most));
  const byKey = new Map(bodies.map((body) => [body.node.key, body]));
  const heaviest = Math.max(...picture.ties.map((tie) => tie.weight), 1e-9);
  const lightest = Math.min(...picture.ties.map((tie) => tie.weight), heaviest);
  const links = picture.ties.flatMap((tie) => {
    const source = byKey.get(tie.source);
    const target = byKey.get(tie.target);
    return source === undefined || target === undefined ? [] : [{ source, target, tie }];
  });
  const simulation = forceSimulation(bodies)
    .force("charge", forceManyBody<Body>().strength(-520).distanceMax(520))
    .force("links", forceLink<Body, (typeof links)[number]>(links).distance((link) => 70 + link.source.halfWidth * 0.55 + link.target.halfWidth * 0.55).strength((link) => (link.tie.kind === "conflict" ? 0.12 : 0.25 + 0.3 * (link.tie.weight / heaviest))))
    .force("x", forceX<Body>(0).strength(0.045))
    .force("y", forceY<Body>(0).strength(0.085))
    .stop();
  for (let step = 0; step < STEPS; step++) {
    simulation.tick();
    part(bodies, 0.5);
  }
  for (let step = 0; step < 200 && part(bodies, 1); step++);
  const left = Math.min(...bodies.map((body) => body.x - body.halfWidth)) - MARGIN;
  const top = Math.min(...bodies.map((body) => body.y - body.above)) - MARGIN;
  for (const body of bodies) {
    body.x -= left;
    body.y -= top;
  }
  const width = Math.max(...bodies.map((body) => body.x + body.halfWidth)) + MARGIN;
  const height = Math.max(...bodies.map((body) => body.y + body.below)) + MARGIN;
  const near = new Map<string, string[]>();
  for (const { tie } of links) {
    near.set(tie.source, [...(near.get(tie.source) ?? []), tie.target, tie.key]);
    near.set(tie.target, [...(near.get(tie.target) ?? []), tie.source, tie.key]);
  }
  const ties = links.map((link) => drawTie(link.tie, link.source, link.target, (link.tie.weight - lightest) / (heaviest - lightest || 1)));
  const hues = huesOf(picture);
  const nodes = bodies.map((body) => drawBody(body, near.get(body.node.key) ?? [], hues.get(body.node.mark)?.colour ?? PLAIN));
  return {
    content: [...ties, ...nodes].map((item) => item.element),
    width: Math.ceil(width),
    height: Math.ceil(height),
    items: [...nodes, ...ties],
    legend: legendOf(picture, hues),
  };
}

function bodyOf(node: PictureNode, most: number): Body {
  if (node.kind === "content") {
    const lines = fit(node.label, 150, 4, 12);
    const halfWidth = Math.max(...lines.map((text) => widthOf(text, 12))) / 2 + 9;
    const half = (lines.length * 12 * LEADING) / 2 + 7;
    return { node, lines, radius: 0, halfWidth, above: half, below: half, x: NaN, y: NaN };
  }
  const radius = 7 + 17 * Math.sqrt(node.weight / most);
  const lines = fit(node.label, 120, 2, SIZE, "600");
  const halfWidth = Math.max(radius, Math.max(...lines.map((text) => widthOf(text, SIZE, "600"))) / 2);
  return { node, lines, radius, halfWidth, above: radius, below: radius + 5 + lines.length * SIZE * LEADING, x: NaN, y: NaN };
}

/** Push apart what overlaps, along the shorter way; true where anything did. */
function part(bodies: readonly Body[], share: number): boolean {
  let moved = false;
  bodies.forEach((one, place) => {
    for (const other of bodies.slice(place + 1)) {
      const across = one.halfWidth + other.halfWidth + 12 - Math.abs(one.x - other.x);
      const lower = one.y < other.y ? one : other;
      const upper = lower === one ? other : one;
      const along = lower.below + upper.above + 10 - (upper.y - lower.y);
      if (across <= 0 || along <= 0) continue;
      moved = true;
      if (across < along) {
        const push = (across / 2) * share * (one.x < other.x ? -1 : 1);
        one.x += push;
        other.x -= push;
      } else {
        lower.y -= (along / 2) * share;
        upper.y += (along / 2) * share;
      }
    }
  });
  return moved;
}

function drawTie(tie: PictureTie, from: Body, to: Body, share: number): Item {
  const against = tie.kind === "conflict" || tie.kind === "denies";
  const colour = against ? "var(--problem)" : tie.kind === "both" ? "var(--kind-prescription)" : "var(--accent)";
  const width = 1.5 + 4 * share;
  const start = edge(from, to);
  const end = edge(to, from);
  const middle = { x: (start.x + end.x) / 2, y: (start.y + end.y) / 2 };
  const dash = against ? "9 5" : tie.how === "hedged" ? (DASHES["hedged"] ?? "") : "";
  const drawn = line(`M${start.x} ${start.y}L${end.x} ${end.y}`, colour, width, dash);
  if (against || tie.kind === "both") drawn.push(cross(middle.x, middle.y, 5, colour));
  const parts = tie.parts["shared"] === undefined ? "" : `; shared ${tie.parts["shared"]}, opposed ${tie.parts["opposed"] ?? 0}`;
  const words: Record<string, string> = { congruence: "agree with", conflict: "disagree with", affirms: "affirms", denies: "denies", both: "affirms and denies" };
  const name = `${from.node.label} – ${words[tie.kind] ?? tie.kind} – ${to.node.label}; weight ${tie.weight}${parts}${tie.how === "hedged" ? "; hedged" : ""}; ${counted(tie.assertions.length, "assertion", "assertions")}`;
  return { key: tie.key, element: opens(tie.key, name, ...drawn), x: middle.x, y: middle.y, near: [tie.source, tie.target] };
}

/** Where the line from one body to another leaves it. */
function edge(body: Body, towards: Body): { x: number; y: number } {
  const dx = towards.x - body.x;
  const dy = towards.y - body.y;
  const far = Math.hypot(dx, dy) || 1;
  const share = body.node.kind === "content" ? Math.min(body.halfWidth / (Math.abs(dx) || 1e-9), body.above / (Math.abs(dy) || 1e-9)) : body.radius / far;
  return { x: body.x + dx * share, y: body.y + dy * share };
}

/** The states of the actors, each with a colour of its own as far as colours go. */
function huesOf(picture: Picture): Map<string, { colour: string; name: string }> {
  const counts = new Map<string, { name: string; count: number }>();
  for (const node of picture.nodes) {
    if (node.kind !== "agent" || node.mark === "") continue;
    counts.set(node.mark, { name: node.markName, count: (counts.get(node.mark)?.count ?? 0) + 1 });
  }
  const ordered = [...counts].sort(([a, x], [b, y]) => y.count - x.count || (a < b ? -1 : 1)).slice(0, HUES.length);
  return new Map(ordered.map(([state, { name }], place) => [state, { colour: HUES[place] ?? PLAIN, name }]));
}

function drawBody(body: Body, near: string[], colour: string): Item {
  const { node, x, y } = body;
  const halo = { "paint-order": "stroke", stroke: "var(--paper)", "stroke-width": 4, "stroke-linejoin": "round" };
  const drawn =
    node.kind === "content"
      ? [
          shape("rect", { x: x - body.halfWidth, y: y - body.above, width: body.halfWidth * 2, height: body.above * 2, rx: 4, fill: "var(--raised)", stroke: "var(--quiet)" }),
          ...texts(body.lines, x, y, { "font-size": 12, "text-anchor": "middle" }),
        ]
      : [
          shape("circle", { cx: x, cy: y, r: body.radius, fill: colour, stroke: "var(--paper)", "stroke-width": 2 }),
          ...texts(body.lines, x, y + body.radius + 5 + (body.lines.length * SIZE * LEADING) / 2, { "text-anchor": "middle", "font-weight": 600, ...halo }),
        ];
  const name = `${node.label}${node.markName === "" || node.markName === node.label ? "" : ` (${node.markName})`}; ${counted(node.weight, node.kind === "content" ? "actor" : "content", node.kind === "content" ? "actors" : "contents")}`;
  return { key: node.key, element: opens(node.key, name, ...drawn), x, y, near };
}

function legendOf(picture: Picture, hues: ReturnType<typeof huesOf>): LegendLine[] {
  const kinds = new Set(picture.ties.map((tie) => tie.kind));
  const lines: LegendLine[] = [];
  const stroke = (colour: string, dash = "none"): SVGElement => shape("path", { d: "M2 9H42", stroke: colour, "stroke-width": 3, "stroke-dasharray": dash });
  const add = (kind: string, colour: string, dash: string, marked: boolean, words: string): void => {
    if (kinds.has(kind)) lines.push({ sample: [stroke(colour, dash), ...(marked ? [cross(22, 9, 5, colour)] : [])], words });
  };
  add("congruence", "var(--accent)", "none", false, "agree");
  add("conflict", "var(--problem)", "9 5", true, "disagree");
  add("affirms", "var(--accent)", "none", false, "affirms");
  add("denies", "var(--problem)", "9 5", true, "denies");
  add("both", "var(--kind-prescription)", "none", true, "affirms and denies");
  lines.push({ sample: [shape("circle", { cx: 10, cy: 9, r: 4, fill: PLAIN }), shape("circle", { cx: 30, cy: 9, r: 8, fill: PLAIN })], words: "actor, by number of contents" });
  for (const { colour, name } of hues.values()) lines.push({ sample: [shape("circle", { cx: 22, cy: 9, r: 7, fill: colour })], words: name });
  if (picture.nodes.some((node) => node.kind === "content")) lines.push({ sample: [shape("rect", { x: 6, y: 3, width: 32, height: 12, rx: 3, fill: "var(--raised)", stroke: "var(--quiet)" }), shape("text", { x: 22, y: 12, "font-size": 8, "text-anchor": "middle", "font-family": FONT, fill: "var(--ink)" }, "…")], words: "content" });
  return lines;
}
