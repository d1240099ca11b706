/**
 * Positions in the text as the graph counts them, in code points, and as the browser does, in UTF-16 units of nodes.
 *
 * The server writes the text in segments, `<span data-s="START">`, each with one text node at the most. What stands
 * between them (numbers of assertions, buttons) is no part of the text, nor is white space between paragraphs.
 */
import { findAll } from "../shared/page";

export interface Span {
  readonly start: number;
  readonly end: number;
}

/** How many code points a string has. */
export function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** The UTF-16 units that the first code points of a string take. */
export function units(text: string, points: number): number {
  let at = 0;
  for (const character of text) {
    if (points <= 0) break;
    points -= 1;
    at += character.length;
  }
  return at;
}

export class Positions {
  private readonly segments: readonly HTMLElement[];
  private readonly starts: readonly number[];

  constructor(readonly root: HTMLElement) {
    this.segments = findAll("[data-s]", root);
    this.starts = this.segments.map((segment) => Number(segment.dataset["s"]));
  }

  /** The span of the words that a range of the document has in it, without white space at its ends; null for none. */
  spanOf(range: Range): Span | null {
    let start = -1;
    let end = -1;
    for (let place = this.firstIn(range); place < this.segments.length; place += 1) {
      const node = this.segments[place]?.firstChild;
      if (!(node instanceof Text)) continue;
      if (range.comparePoint(node, 0) > 0) break;
      if (!range.intersectsNode(node)) continue;
      const from = range.startContainer === node ? range.startOffset : 0;
      const to = range.endContainer === node ? range.endOffset : node.data.length;
      const words = node.data.slice(from, to);
      if (words.trim() === "") continue;
      const at = this.starts[place] ?? 0;
      if (start < 0) start = at + codePoints(node.data.slice(0, from + words.length - words.trimStart().length));
      end = at + codePoints(node.data.slice(0, from + words.trimEnd().length));
    }
    return start < 0 || end <= start ? null : { start, end };
  }

  /** The range of the document that a span is; null where nothing of it is shown. */
  rangeOf(span: Span): Range | null {
    const range = document.createRange();
    const first = Math.max(0, this.segmentAt(span.start));
    const last = this.segmentAt(span.end - 1);
    const begin = this.segments[first]?.firstChild;
    const finish = this.segments[last]?.firstChild;
    if (!(begin instanceof Text) || !(finish instanceof Text) || first > last) return null;
    range.setStart(begin, units(begin.data, span.start - (this.starts[first] ?? 0)));
    range.setEnd(finish, units(finish.data, span.end - (this.starts[last] ?? 0)));
    return range;
  }

  /** The number of the segment in which a position lies, or of the last one before it; -1 where there is none. */
  private segmentAt(position: number): number {
    let low = 0;
    let high = this.starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.starts[middle] ?? 0) <= position) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  private firstIn(range: Range): number {
    let low = 0;
    let high = this.segments.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const segment = this.segments[middle];
      if (segment !== undefined && range.comparePoint(segment, segment.childNodes.length) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
