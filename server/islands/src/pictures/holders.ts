/** Holders in maps: each has a letter, and the most frequent a colour, so that they are told apart without colours too. */

import type { LegendLine, Picture } from "./data";
import { FONT, HUES, shape } from "./svg";

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

export interface Holders {
  letters(holders: readonly string[]): string;
  colour(holders: readonly string[]): string;
  legend: LegendLine[];
}

export function tellHolders(picture: Picture): Holders {
  const counts = new Map<string, { name: string; count: number }>();
  for (const tie of picture.ties) {
    if (tie.kind === "link") continue; // who draws a link holds nothing by it
    tie.holders.forEach((iri, place) => {
      const found = counts.get(iri) ?? { name: tie.holderNames[place] ?? iri, count: 0 };
      found.count += 1;
      counts.set(iri, found);
    });
  }
  const ordered = [...counts].sort(([a, x], [b, y]) => y.count - x.count || (a < b ? -1 : 1));
  const places = new Map(ordered.map(([iri], place) => [iri, place]));
  const letter = (iri: string): string => LETTERS[places.get(iri) ?? LETTERS.length] ?? "·";
  const hue = (iri: string): string => HUES[places.get(iri) ?? HUES.length] ?? "var(--quiet)";
  return {
    letters: (holders) => {
      const found = holders.map(letter).sort();
      return found.length > 3 ? `${found.slice(0, 3).join("")}…` : found.join("");
    },
    colour: (holders) => (holders.length === 1 ? hue(holders[0] ?? "") : "var(--ink)"),
    legend: ordered.slice(0, LETTERS.length).map(([iri, { name }]) => ({
      sample: [
        shape("path", { d: "M2 9H24", stroke: hue(iri), "stroke-width": 2.5 }),
        shape("text", { x: 28, y: 13.5, "font-size": 13, "font-weight": 700, "font-family": FONT, fill: hue(iri) }, letter(iri)),
      ],
      words: name,
    })),
  };
}
