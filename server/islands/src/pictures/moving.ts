/**
 * Moving about in a picture: larger and smaller, dragging, and from point to point with the arrow keys.
 *
 * The picture lies in a box that scrolls, so that fingers, wheels and screen readers do what they do everywhere, and what
 * has the focus comes into sight by itself.
 */

import type { Drawn, Item } from "./data";

const SMALLEST = 0.3;
const LARGEST = 3;

export interface Moving {
  grow(factor: number): void;
  whole(): void;
  focus(key: string): void;
}

export function makeMovable(box: HTMLElement, svg: SVGElement, drawn: Drawn): Moving {
  let scale = 1;
  const set = (value: number, x = box.clientWidth / 2, y = box.clientHeight / 2): void => {
    const before = scale;
    scale = Math.min(LARGEST, Math.max(SMALLEST, value));
    svg.setAttribute("width", String(Math.round(drawn.width * scale)));
    svg.setAttribute("height", String(Math.round(drawn.height * scale)));
    box.scrollLeft = ((box.scrollLeft + x) * scale) / before - x;
    box.scrollTop = ((box.scrollTop + y) * scale) / before - y;
  };
  const moving: Moving = {
    grow: (factor) => set(scale * factor),
    whole: () => set(Math.min((box.clientWidth - 2) / drawn.width, (box.clientHeight - 2) / drawn.height, 1)),
    focus: (key) => find(drawn, key)?.element.focus(),
  };
  box.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const frame = box.getBoundingClientRect();
      set(scale * Math.exp(-event.deltaY * 0.002), event.clientX - frame.left, event.clientY - frame.top);
    },
    { passive: false },
  );
  dragging(box);
  walking(box, drawn.items, moving);
  // Names stay readable: what is too large to be shown whole is scrolled.
  set(Math.min(1, Math.max(0.72, (box.clientWidth - 2) / drawn.width)));
  if (drawn.middle !== undefined) {
    box.scrollLeft = drawn.middle.x * scale - box.clientWidth / 2;
    box.scrollTop = drawn.middle.y * scale - box.clientHeight / 2;
  }
  return moving;
}

function find(drawn: Drawn, key: string): Item | undefined {
  return drawn.items.find((item) => item.key === key);
}

function dragging(box: HTMLElement): void {
  let from: { x: number; y: number; left: number; top: number } | null = null;
  let dragged = false;
  box.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "mouse" || event.button !== 0) return;
    from = { x: event.clientX, y: event.clientY, left: box.scrollLeft, top: box.scrollTop };
    dragged = false;
  });
  window.addEventListener("pointermove", (event) => {
    if (from === null) return;
    if (Math.hypot(event.clientX - from.x, event.clientY - from.y) > 4) dragged = true;
    if (!dragged) return;
    box.scrollLeft = from.left - (event.clientX - from.x);
    box.scrollTop = from.top - (event.clientY - from.y);
  });
  window.addEventListener("pointerup", () => (from = null));
  box.addEventListener("dragstart", (event) => event.preventDefault()); // links would be dragged away
  box.addEventListener(
    "click",
    (event) => {
      if (!dragged) return;
      event.preventDefault();
      event.stopPropagation();
      dragged = false;
    },
    { capture: true },
  );
}

/** One stop for Tab; from there the arrows lead to the nearest in their direction. */
function walking(box: HTMLElement, items: readonly Item[], moving: Moving): void {
  let current = items[0];
  current?.element.setAttribute("tabindex", "0");
  const go = (item: Item | undefined): void => {
    if (item === undefined) return;
    current?.element.setAttribute("tabindex", "-1");
    current = item;
    item.element.setAttribute("tabindex", "0");
    item.element.focus();
  };
  box.addEventListener("focusin", (event) => {
    const item = items.find((each) => each.element === event.target);
    if (item === undefined || item === current) return;
    current?.element.setAttribute("tabindex", "-1");
    current = item;
    item.element.setAttribute("tabindex", "0");
  });
  box.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || current === undefined) return;
    const directions: Record<string, [number, number]> = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
    const direction = directions[event.key];
    if (direction !== undefined) go(nearest(items, current, direction));
    else if (event.key === "Home") go(items[0]);
    else if (event.key === "End") go(items.at(-1));
    else if (event.key === "PageDown") go(items[items.indexOf(current) + 1]);
    else if (event.key === "PageUp") go(items[items.indexOf(current) - 1]);
    else if (event.key === "+" || event.key === "=") moving.grow(1.25);
    else if (event.key === "-") moving.grow(0.8);
    else return;
    event.preventDefault();
  });
}

function nearest(items: readonly Item[], from: Item, [dx, dy]: readonly [number, number]): Item | undefined {
  let best: Item | undefined;
  let least = Infinity;
  for (const item of items) {
    const ahead = (item.x - from.x) * dx + (item.y - from.y) * dy;
    const aside = Math.abs((item.x - from.x) * dy) + Math.abs((item.y - from.y) * dx);
    if (item === from || ahead <= 0.5 || aside > ahead * 2.5) continue;
    const far = ahead + aside * 2;
    if (far < least) [best, least] = [item, far];
  }
  return best;
}
