/**
 * Reading: the text and the cards beside it in step.
 *
 * A click in the text finds the cards, a click on a card the passage; j and k go through the assertions; the address
 * follows. Where somebody may code, what is selected is offered for coding: the event `whosays:selected` tells the
 * island `coding` of it, with positions in code points; without that island the button is a link.
 */
import { announce, debounced, find, findAll, make } from "./shared/page";
import { Positions, type Span } from "./reading/positions";

const SPAN = /^(\d{1,9})-(\d{1,9})$/;
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

class Reading {
  private readonly name: string;
  private readonly text: HTMLElement | null;
  private readonly list: HTMLElement | null;
  private readonly cards: readonly HTMLElement[];
  private readonly places: readonly number[];
  private readonly positions: Positions | null;
  private card: HTMLElement | null = null;
  private passage: string | null = null;

  constructor(private readonly page: HTMLElement) {
    this.name = page.dataset["reading"] ?? "";
    this.text = find("[data-text]", page);
    this.list = find("[data-cards]", page);
    this.cards = findAll(".card", page);
    this.places = this.cards.map((card) => Number(card.dataset["place"]));
    this.positions = this.text === null ? null : new Positions(this.text);
  }

  start(): void {
    this.page.classList.add("scripts");
    for (const hidden of findAll(".scripted", this.page)) hidden.hidden = false;
    const legend = find<HTMLDetailsElement>(".legend", this.page);
    if (legend !== null && this.sheet()) legend.open = false; // there is little room
    this.page.addEventListener("click", (event) => this.onClick(event));
    this.page.addEventListener("change", (event) => this.onSwitch(event));
    document.addEventListener("keydown", (event) => this.onKey(event));
    window.addEventListener("hashchange", () => this.fromAddress());
    this.follow();
    // Not before the page is there: at its end the browser itself goes to what the address names.
    if (document.readyState === "complete") this.fromAddress();
    else window.addEventListener("load", () => this.fromAddress());
    if (this.page.classList.contains("coding")) this.offerCoding();
  }

  // --- choosing

  /** Choose a card: mark it and its passages, tell the address, and bring into view what is asked for. */
  private choose(card: HTMLElement, options: { passage?: string; text?: boolean; focus?: boolean } = {}): void {
    this.clear();
    this.card = card;
    const spans = spansOf(card);
    this.passage = options.passage ?? spans[0] ?? null;
    card.classList.add("chosen");
    for (const span of spans) for (const mark of this.marks(span)) mark.classList.add("chosen");
    const margin = card.closest("details");
    if (margin !== null) margin.open = true;
    settle(() => this.showCard(card));
    if (options.text === true && this.passage !== null) this.showPassage(this.passage);
    if (options.focus === true) card.focus({ preventScroll: true });
    this.tellAddress(card.dataset["key"] ?? null, this.passage);
  }

  /** Choose a passage: its first card, with the others of the same passage marked as well. */
  private choosePassage(passage: string, options: { text?: boolean; focus?: boolean } = {}): void {
    const cards = this.cards.filter((card) => spansOf(card).includes(passage) && isShown(card));
    const first = cards[0];
    if (first === undefined) {
      this.clear();
      this.passage = passage;
      for (const mark of this.marks(passage)) mark.classList.add("chosen");
      if (options.text === true) this.showPassage(passage);
      const span = readSpan(passage);
      const near = this.cards.find((card) => span !== null && spansOf(card).some((other) => overlap(span, readSpan(other))));
      this.bindTo(near === undefined ? (span?.start ?? 0) : Number(near.dataset["place"]));
      this.tellAddress(null, passage);
      return;
    }
    this.choose(first, { ...options, passage });
    for (const card of cards) card.classList.add("here");
    if (cards.length > 1) announce(`${cards.length} assertions rest on this passage.`);
  }

  private clear(): void {
    this.card = null;
    this.passage = null;
    for (const chosen of findAll(".chosen, .card.here", this.page)) chosen.classList.remove("chosen", "here");
    CSS.highlights?.delete("found");
  }

  private marks(passage: string): HTMLElement[] {
    return findAll(`.mark[data-p="${passage}"]`, this.page);
  }

  private showCard(card: HTMLElement): void {
    if (this.list !== null) this.list.scrollTop = card.offsetTop - Math.min(48, this.list.clientHeight / 6);
  }

  private showPassage(passage: string): void {
    const anchor = document.getElementById(passage) ?? find(`[data-p="${passage}"]`, this.page);
    const span = readSpan(passage);
    const range = span === null ? null : (this.positions?.rangeOf(span) ?? null);
    const target = anchor ?? range?.startContainer.parentElement ?? null;
    if (target === null) return;
    this.quietUntil = performance.now() + 700;
    const block = this.sheet() ? "start" : "center";
    settle(() => target.scrollIntoView({ block, behavior: "instant" }));
    const flashing = this.marks(passage);
    if (flashing.length === 0 && range !== null && CSS.highlights !== undefined) {
      CSS.highlights.set("found", new Highlight(range)); // no mark is there: a stretch that somebody named
    }
    for (const mark of flashing.length > 0 ? flashing : [target]) flash(mark);
  }

  private sheet(): boolean {
    const beside = find(".beside", this.page);
    return beside !== null && getComputedStyle(beside).position === "fixed";
  }

  private tellAddress(key: string | null, passage: string | null): void {
    const address = new URL(window.location.href);
    if (key === null) address.searchParams.delete("assertion");
    else address.searchParams.set("assertion", key);
    address.hash = passage ?? "";
    history.replaceState(null, "", address);
  }

  private fromAddress(): void {
    const hash = decodeURIComponent(window.location.hash.slice(1));
    const key = new URLSearchParams(window.location.search).get("assertion");
    const named = this.cards.find((card) => card.classList.contains("chosen") || (key !== null && card.dataset["key"] === key));
    const passage = readSpan(hash) === null ? null : hash;
    if (named !== undefined && (passage === null || spansOf(named).includes(passage))) {
      this.choose(named, { text: true, ...(passage === null ? {} : { passage }) });
    } else if (passage !== null) this.choosePassage(passage, { text: true });
    else if (hash.startsWith("card-")) {
      const card = document.getElementById(hash);
      if (card !== null) this.choose(card, { text: true });
    }
  }

  // --- what the reader does

  private onClick(event: MouseEvent): void {
    const target = event.target instanceof Element ? event.target : null;
    if (target === null || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const link = target.closest("a");
    if (link?.dataset["code"] !== undefined) {
      const span = readSpan(link.dataset["code"]);
      if (span !== null && this.code(span)) event.preventDefault();
      return;
    }
    const inside = link?.getAttribute("href") ?? "";
    if (inside.startsWith("#")) {
      event.preventDefault();
      this.goTo(inside.slice(1), link);
      return;
    }
    if (link !== null || target.closest("summary, label, input, button, [data-coding]") !== null) return;
    if (document.getSelection()?.isCollapsed === false) return;
    const card = target.closest<HTMLElement>(".card");
    if (card !== null) return this.choose(card, { text: true });
    const passages = [...new Set(findAllAround(target, ".mark").map((mark) => mark.dataset["p"] ?? ""))];
    passages.sort((one, other) => lengthOf(one) - lengthOf(other));
    const next = passages[(passages.indexOf(this.passage ?? "") + 1) % Math.max(1, passages.length)];
    if (next !== undefined) this.choosePassage(next);
  }

  /** Follow a link within the page: to a card, or from a card to its passage. */
  private goTo(anchor: string, link: Element | null): void {
    const card = this.cards.find((one) => one.id === anchor);
    const passage = link instanceof HTMLElement ? link.dataset["p"] : undefined;
    if (card !== undefined && passage !== undefined) this.choosePassage(passage, { focus: true });
    else if (card !== undefined) this.choose(card, { focus: true });
    else {
      const own = link?.closest<HTMLElement>(".card") ?? null;
      if (own !== null) this.choose(own, { passage: anchor, text: true });
      else this.choosePassage(anchor, { text: true });
      this.focusReference(anchor);
    }
  }

  private focusReference(passage: string): void {
    find(`.ref[data-p="${passage}"]`, this.page)?.focus({ preventScroll: true });
  }

  private onSwitch(event: Event): void {
    if (!(event.target instanceof HTMLInputElement) || event.target.name !== "show") return;
    const address = new URL(window.location.href);
    address.searchParams.delete("hide");
    for (const box of findAll<HTMLInputElement>('input[name="show"]', this.page)) {
      if (!box.checked) address.searchParams.append("hide", box.value);
    }
    history.replaceState(null, "", address);
  }

  private onKey(event: KeyboardEvent): void {
    const target = event.target instanceof HTMLElement ? event.target : null;
    if (event.ctrlKey || event.metaKey || event.altKey || target?.closest("input, textarea, select, [contenteditable], [data-coding], [role=combobox]")) {
      return;
    }
    if (event.key === "j" || event.key === "k") this.step(event.key === "j" ? 1 : -1);
    else if (event.key === "Enter" && target !== null && target.classList.contains("card")) {
      this.choose(target, { text: true });
      if (this.passage !== null) this.focusReference(this.passage);
    } else if (event.key === "Escape") {
      this.clear();
      document.getSelection()?.removeAllRanges();
      this.tellAddress(null, null);
    } else return;
    event.preventDefault();
  }

  private step(way: 1 | -1): void {
    const shown = this.cards.filter((card) => card.dataset["key"] !== undefined && isShown(card));
    const now = this.card === null ? -1 : shown.indexOf(this.card);
    const place = now < 0 ? (way > 0 ? shown.findIndex((card) => this.reached(card)) : -1) : now + way;
    const next = shown[Math.max(0, Math.min(shown.length - 1, place))];
    if (next !== undefined) this.choose(next, { text: true, focus: true });
  }

  private reached(card: HTMLElement): boolean {
    return Number(card.dataset["place"]) >= (this.now ?? 0);
  }

  // --- in step with the scroll

  private now: number | null = null;
  private bound: HTMLElement | null = null;
  private frames = 0;
  private quietUntil = 0; // for as long as the text moves because of a card, the cards stay

  /** Watch paragraphs, and the sentences of those in view; the cards follow the topmost sentence. */
  private follow(): void {
    const visible = new Set<Element>();
    const sentences = new IntersectionObserver(
      (entries) => {
        for (const entry of entries) {
          if (entry.isIntersecting) visible.add(entry.target);
          else visible.delete(entry.target);
        }
        const first = Math.min(...[...visible].map(startOf));
        if (Number.isFinite(first) && first !== this.now) this.keepStep(first);
      },
      { rootMargin: "-12% 0px -60% 0px" },
    );
    const blocks = new IntersectionObserver(
      (entries) => {
        for (const entry of entries) {
          for (const sentence of findAll(".sentence, li", entry.target)) {
            if (entry.isIntersecting) sentences.observe(sentence);
            else {
              sentences.unobserve(sentence);
              visible.delete(sentence);
            }
          }
        }
      },
      { rootMargin: "20% 0px" },
    );
    for (const block of findAll("[data-text] > p", this.page)) blocks.observe(block);
    for (const row of findAll("[data-outline] > li", this.page)) sentences.observe(row);
  }

  private keepStep(position: number): void {
    this.now = position;
    if (performance.now() < this.quietUntil) return;
    if (this.list === null || this.list.matches(":hover, :focus-within") || this.sheetIsShut()) return;
    this.bindTo(position);
  }

  /** Bring the first card at or after a position to the top. */
  private bindTo(position: number): void {
    let low = 0;
    let high = this.places.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.places[middle] ?? 0) < position) low = middle + 1;
      else high = middle;
    }
    this.bound = this.cards[Math.min(low, this.cards.length - 1)] ?? null;
    if (this.frames === 0) requestAnimationFrame(() => this.glide());
    this.frames = 3;
  }

  /** Bring the card that belongs to the text to the top; again in the next frames, as cards take their true heights. */
  private glide(): void {
    if (this.list !== null && this.bound !== null) this.list.scrollTop = this.bound.offsetTop;
    this.frames -= 1;
    if (this.frames > 0) requestAnimationFrame(() => this.glide());
  }

  private sheetIsShut(): boolean {
    return this.list?.closest("details")?.open === false;
  }

  // --- coding

  private offerCoding(): void {
    const positions = this.positions;
    if (positions === null || this.text === null) return;
    const button = make("a", { class: "button select-this", role: "button", hidden: "" }, "Code this");
    document.body.append(button);
    let span: Span | null = null;
    const look = (): void => {
      const selection = document.getSelection();
      const range = selection !== null && selection.rangeCount > 0 && !selection.isCollapsed ? selection.getRangeAt(0) : null;
      span = range !== null && range.intersectsNode(positions.root) ? positions.spanOf(range) : null;
      button.hidden = span === null;
      if (range === null || span === null) return;
      button.href = this.codeAddress(span);
      const box = range.getBoundingClientRect();
      const left = Math.max(8, Math.min(box.right, document.documentElement.clientWidth - 120));
      button.style.left = `${left + window.scrollX}px`;
      button.style.top = `${box.bottom + window.scrollY + 6}px`;
    };
    document.addEventListener("selectionchange", debounced(120, look));
    button.addEventListener("mousedown", (event) => event.preventDefault()); // keeps the selection
    button.addEventListener("click", (event) => {
      if (span !== null && this.code(span)) event.preventDefault();
    });
    document.addEventListener("keydown", (event) => {
      const target = event.target instanceof HTMLElement ? event.target : null;
      if (event.ctrlKey || event.metaKey || event.altKey || target?.closest("input, textarea, select, [data-coding]")) return;
      if (event.key === "s") this.selectSentence(positions);
      else if (event.key === "c") {
        look();
        if (span === null) announce("Select some words first.");
        else if (!this.code(span)) window.location.assign(this.codeAddress(span));
      }
    });
  }

  /** Select the sentence of what is chosen, else the one that is read, so that arrows with Shift can alter that. */
  private selectSentence(positions: Positions): void {
    const chosen = this.passage === null ? null : readSpan(this.passage);
    const at = chosen?.start ?? this.now ?? 0;
    const sentence = findAll(".sentence[id]", this.page).find((one) => (readSpan(one.id)?.end ?? 0) > at);
    const span = sentence === undefined ? null : readSpan(sentence.id);
    const range = span === null ? null : positions.rangeOf(span);
    if (range === null) return;
    const selection = document.getSelection();
    selection?.setBaseAndExtent(range.startContainer, range.startOffset, range.endContainer, range.endOffset);
    sentence?.scrollIntoView({ block: "nearest", behavior: "instant" });
    announce("The sentence is selected.");
  }

  private codeAddress(span: Span): string {
    return `/code/${encodeURIComponent(this.name)}?start=${span.start}&end=${span.end}`;
  }

  /** Hand a stretch over to the island that codes; false where there is none. */
  private code(span: Span): boolean {
    if (find("[data-coding][data-ready]") === null) return false;
    document.dispatchEvent(new CustomEvent("whosays:selected", { detail: { document: this.name, start: span.start, end: span.end } }));
    return true;
  }
}

function readSpan(text: string): Span | null {
  const found = SPAN.exec(text);
  const span = found === null ? null : { start: Number(found[1]), end: Number(found[2]) };
  return span !== null && span.start < span.end ? span : null;
}

function overlap(one: Span, other: Span | null): boolean {
  return other !== null && one.start < other.end && other.start < one.end;
}

function spansOf(card: HTMLElement): string[] {
  return (card.dataset["spans"] ?? "").split(" ").filter((span) => span !== "");
}

function lengthOf(passage: string): number {
  const span = readSpan(passage);
  return span === null ? 0 : span.end - span.start;
}

function startOf(element: Element): number {
  const first = element.matches("li") ? element : find("[data-s]", element);
  return first instanceof HTMLElement ? Number(first.dataset["start"] ?? first.dataset["s"]) : Infinity;
}

function isShown(card: HTMLElement): boolean {
  return getComputedStyle(card).display !== "none";
}

function findAllAround(element: Element, selector: string): HTMLElement[] {
  const found: HTMLElement[] = [];
  for (let at = element.closest<HTMLElement>(selector); at !== null; at = at.parentElement?.closest<HTMLElement>(selector) ?? null) {
    found.push(at);
  }
  return found;
}

/** Do something now and in the next frames: what comes into view takes its true height only then. */
function settle(action: () => void, times = 8): void {
  action();
  if (times > 1) requestAnimationFrame(() => settle(action, times - 1));
}

function flash(element: Element): void {
  element.classList.remove("flash");
  void (element as HTMLElement).offsetWidth; // so that it begins anew
  element.classList.add("flash");
  window.setTimeout(() => element.classList.remove("flash"), calm.matches ? 900 : 1700);
}

for (const page of findAll("[data-reading]")) new Reading(page).start();
