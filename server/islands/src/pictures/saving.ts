/** Saving a picture: as SVG that stands for itself, or as PNG; on white, with title and legend. */

import type { Drawn, Picture } from "./data";
import { fit, FONT, shape, texts } from "./svg";

const SHARPNESS = 2;
const COLUMN = 330;
const MOST_PIXELS = 60_000_000;

/** The drawing with all that it needs: no style sheet, colours as values, title and legend in the picture. */
export function standing(picture: Picture, drawn: Drawn): string {
  const columns = Math.max(1, Math.floor(Math.max(drawn.width, 480) / COLUMN));
  const width = Math.max(drawn.width, 480) + 32;
  const top = 56;
  const legendTop = top + drawn.height + 24;
  const lines = Math.ceil(drawn.legend.length / columns);
  const height = legendTop + lines * 24 + 20;
  const whole = shape("svg", { xmlns: "http://www.w3.org/2000/svg", width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "font-family": FONT });
  whole.append(shape("title", {}, picture.title), shape("desc", {}, picture.read));
  whole.append(shape("rect", { x: 0, y: 0, width, height, fill: "#ffffff" }));
  whole.append(...texts([picture.title], 16, 30, { "font-size": 20, "font-weight": 700 }));
  const place = shape("g", { transform: `translate(16 ${top})` });
  for (const part of drawn.content) place.append(plain(part));
  whole.append(place);
  drawn.legend.forEach((entry, index) => {
    const x = 16 + (index % columns) * COLUMN;
    const y = legendTop + Math.floor(index / columns) * 24;
    const group = shape("g", { transform: `translate(${x} ${y})` });
    group.append(...entry.sample.map((part) => part.cloneNode(true)));
    group.append(...texts(fit(entry.words, COLUMN - 70, 1), 52, 9, { "font-size": 13 }));
    whole.append(group);
  });
  return valued(new XMLSerializer().serializeToString(whole));
}

/** A part without what is of use on the page alone: links, focus, what is not seen. */
function plain(part: SVGElement): SVGElement {
  const copy = part.cloneNode(true) as SVGElement;
  const parts = [copy, ...copy.querySelectorAll<SVGElement>("*")];
  for (const each of parts) {
    for (const name of ["class", "aria-hidden", "data-key", "href", "tabindex", "aria-current", "aria-label"]) each.removeAttribute(name);
    if (each.getAttribute("stroke") === "transparent" || each.getAttribute("fill") === "transparent") each.remove();
  }
  if (copy.tagName !== "a") return copy;
  const group = shape("g");
  group.append(...copy.childNodes);
  return group;
}

/** Put in what the variables of the light page stand for, paper being white. */
function valued(text: string): string {
  const values = lightValues();
  values.set("--paper", "#ffffff");
  return text.replace(/var\((--[\w-]+)\)/g, (whole, name: string) => values.get(name) ?? whole);
}

function lightValues(): Map<string, string> {
  const values = new Map<string, string>();
  for (const sheet of document.styleSheets) {
    for (const rule of sheet.cssRules) {
      if (!(rule instanceof CSSStyleRule) || rule.selectorText !== ":root") continue;
      for (const name of rule.style) if (name.startsWith("--")) values.set(name, rule.style.getPropertyValue(name).trim());
    }
  }
  return values;
}

export function saveSvg(picture: Picture, drawn: Drawn): void {
  hand(new Blob([`<?xml version="1.0" encoding="UTF-8"?>\n${standing(picture, drawn)}`], { type: "image/svg+xml" }), `${picture.kind}.svg`);
}

export async function savePng(picture: Picture, drawn: Drawn): Promise<void> {
  const address = URL.createObjectURL(new Blob([standing(picture, drawn)], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const scale = Math.min(SHARPNESS, Math.sqrt(MOST_PIXELS / (image.width * image.height)));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(image.width * scale);
    canvas.height = Math.round(image.height * scale);
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/png"));
    if (blob !== null) hand(blob, `${picture.kind}.png`);
  } finally {
    URL.revokeObjectURL(address);
  }
}

function hand(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
