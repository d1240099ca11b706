/** A picture as the server tells it: see `server/picturing/picture.py`. */

export interface PictureNode {
  key: string;
  iri: string;
  kind: "agent" | "content" | "factor" | "argument" | "event" | "step" | "stance";
  weight: number;
  assertions: string[];
  mark: string;
  markName: string;
  who: string[];
  whoNames: string[];
  day: string;
  earliest: string;
  latest: string;
  label: string;
}

export interface PictureTie {
  key: string;
  source: string;
  target: string;
  kind: string;
  how: string;
  weight: number;
  assertions: string[];
  holders: string[];
  holderNames: string[];
  label: string;
  labelName: string;
  pathways: string[];
  parts: Record<string, number>;
}

export interface Picture {
  kind: string;
  title: string;
  read: string;
  options: Record<string, string>;
  leftOut: string;
  nodes: PictureNode[];
  ties: PictureTie[];
  hows: Record<string, string>;
}

/** A line of the legend: a sample, drawn into a space of 44 by 18, and what it means. */
export interface LegendLine {
  sample: SVGElement[];
  words: string;
}

/** What can be opened: its place in the picture is what the arrow keys go by. */
export interface Item {
  key: string;
  element: SVGElement;
  x: number;
  y: number;
  /** What belongs to it and lies above all lines. */
  badge?: SVGElement;
  /** Keys of what hangs together with it, and is lit up when it is. */
  near: string[];
}

/** A picture that is drawn, in pixels of its own. */
export interface Drawn {
  content: SVGElement[];
  width: number;
  height: number;
  items: Item[];
  legend: LegendLine[];
  /** What is in the middle of the box at first; else the beginning is shown. */
  middle?: { x: number; y: number };
}

/** A number of something, with its noun. */
export function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
