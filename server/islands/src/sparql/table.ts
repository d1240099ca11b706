/** The table of an answer: sorted by any column, a page of it at a time, so that many rows cost no more than few. */
import { make } from "../shared/page";
import { addressOf, shorten, type Prefixes } from "./addresses";
import type { Row, Term } from "./asking";

/** Rows of a page. */
export const PAGE = 100;

/** Characters of a text that are shown before one asks for all of it. */
const LONG = 400;

const XSD = "http://www.w3.org/2001/XMLSchema#";
const NUMBERS = new Set(
  ["integer", "decimal", "double", "float", "int", "long", "short", "byte", "nonNegativeInteger", "gYear"].map(
    (n) => XSD + n,
  ),
);
const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

type Naming = (iris: readonly string[]) => Promise<ReadonlyMap<string, string>>;

/** A table that shows itself within `place`. */
export class AnswerTable {
  readonly place = make("div");
  private order: number[];
  private sorted: { readonly column: string; readonly down: boolean } | null = null;
  private page = 0;
  private names: ReadonlyMap<string, string> = new Map();
  private naming: Naming | null = null;

  constructor(
    private readonly columns: readonly string[],
    private readonly rows: readonly Row[],
    private readonly prefixes: Prefixes,
  ) {
    this.order = rows.map((_, index) => index);
    this.show();
  }

  /** Show names in place of identifiers, found by `naming`; identifiers where that is null. */
  async name(naming: Naming | null): Promise<void> {
    this.naming = naming;
    if (naming === null) this.names = new Map();
    await this.fillIn();
  }

  private get pages(): number {
    return Math.max(1, Math.ceil(this.rows.length / PAGE));
  }

  private get shown(): readonly number[] {
    return this.order.slice(this.page * PAGE, (this.page + 1) * PAGE);
  }

  private async fillIn(): Promise<void> {
    const [naming, page] = [this.naming, this.page];
    if (naming !== null) {
      const iris = new Set<string>();
      for (const index of this.shown)
        for (const term of Object.values(this.rows[index] ?? {}))
          if (term?.type === "uri" && typeof term.value === "string") iris.add(term.value);
      const found = await naming([...iris]);
      if (this.naming !== naming || this.page !== page) return; // changed meanwhile
      this.names = found;
    }
    this.show();
  }

  private go(page: number): void {
    this.page = Math.min(Math.max(0, page), this.pages - 1);
    this.show();
    if (this.naming !== null) void this.fillIn();
    this.place.querySelector<HTMLElement>(".scroll")?.focus();
  }

  private sortBy(column: string): void {
    const down = this.sorted?.column === column && !this.sorted.down;
    this.sorted = { column, down };
    const keys = this.rows.map((row) => sortKey(row[column]));
    const sign = down ? -1 : 1;
    this.order.sort((a, b) => compare(keys[a], keys[b], sign) || a - b);
    this.page = 0;
    this.show();
    if (this.naming !== null) void this.fillIn();
    [...this.place.querySelectorAll<HTMLElement>("th button")][this.columns.indexOf(column)]?.focus();
  }

  private show(): void {
    const first = this.page * PAGE;
    const total = this.rows.length;
    const count = `${total.toLocaleString("en")} ${total === 1 ? "row" : "rows"}`;
    const caption = total > PAGE ? `Rows ${first + 1} to ${Math.min(first + PAGE, total)} of ${count}` : count;
    const head = make("tr", {}, make("th", { scope: "col" }, make("span", { class: "unseen" }, "number")));
    for (const column of this.columns) head.append(this.heading(column));
    const body = make("tbody");
    this.shown.forEach((index, at) => body.append(this.line(this.rows[index] ?? {}, first + at + 1)));
    const table = make("table", {}, make("caption", {}, caption), make("thead", {}, head), body);
    const scroll = make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption }, table);
    this.place.replaceChildren(...(total > PAGE ? [scroll, this.pager()] : [scroll]));
  }

  private heading(column: string): HTMLElement {
    const button = make("button", { type: "button", title: "Sort" }, column.replaceAll("_", " "));
    button.addEventListener("click", () => this.sortBy(column));
    const sort = this.sorted?.column === column ? (this.sorted.down ? "descending" : "ascending") : null;
    return make("th", sort === null ? { scope: "col" } : { scope: "col", "aria-sort": sort }, button);
  }

  private line(row: Row, number: number): HTMLElement {
    const line = make("tr", {}, make("th", { scope: "row" }, number.toLocaleString("en")));
    for (const column of this.columns) {
      const term = row[column];
      const text = term?.type !== "uri" && typeof term?.value === "string" ? term.value : "";
      const kind: Record<string, string> =
        term !== undefined && isNumber(term) ? { class: "number" } : text.length > 40 ? { class: "prose" } : {};
      line.append(make("td", kind, ...(term === undefined ? [] : this.term(term))));
    }
    return line;
  }

  private term(term: Term): (Node | string)[] {
    if (typeof term.value !== "string") {
      const { subject, predicate, object } = term.value;
      return ["<<( ", ...this.term(subject), " ", ...this.term(predicate), " ", ...this.term(object), " )>>"];
    }
    if (term.type === "uri") {
      const words = make(
        "bdi",
        {},
        cut(this.names.get(term.value) ?? shorten(term.value, this.prefixes).replaceAll("\\", "")),
      );
      const address = addressOf(term.value);
      return [address === null ? make("code", {}, words) : make("a", { href: address, title: cut(term.value) }, words)];
    }
    if (term.type === "bnode") return [make("code", {}, `_:${term.value}`)];
    const language = term["xml:lang"];
    const shown: (Node | string)[] = [make("bdi", language ? { lang: language } : {}, cut(term.value))];
    if (term.value.length > LONG) shown.push(" ", this.more(term.value, shown[0] as HTMLElement));
    if (language) shown.push(" ", make("span", { class: "mark" }, `@${language}`));
    const datatype = term.datatype;
    if (datatype && datatype !== `${XSD}string` && datatype !== `${XSD}integer` && !language)
      shown.push(" ", make("span", { class: "mark", title: datatype }, this.datatype(datatype)));
    return shown;
  }

  private datatype(iri: string): string {
    const short = shorten(iri, this.prefixes);
    return short.startsWith("<") ? (iri.split(/[/#]/).pop() ?? iri).slice(0, 40) : short;
  }

  private more(whole: string, words: HTMLElement): HTMLElement {
    const button = make("button", { type: "button", class: "plain" }, "all of it");
    button.addEventListener("click", () => {
      words.classList.add("whole");
      words.textContent = whole;
      button.remove();
    });
    return button;
  }

  private pager(): HTMLElement {
    const step = (words: string, to: number): HTMLElement => {
      const button = make("button", { type: "button", class: "second" }, words);
      button.disabled = to < 0 || to >= this.pages || to === this.page;
      button.addEventListener("click", () => this.go(to));
      return button;
    };
    const told = make("span", {}, `page ${this.page + 1} of ${this.pages.toLocaleString("en")}`);
    const [first, last] = [step("First", 0), step("Last", this.pages - 1)];
    return make(
      "nav",
      { class: "pages", "aria-label": "Pages of the answer" },
      first,
      step("Before", this.page - 1),
      told,
      step("Next", this.page + 1),
      last,
    );
  }
}

function cut(text: string): string {
  return text.length > LONG ? `${text.slice(0, LONG)}…` : text;
}

function isNumber(term: Term): boolean {
  return term.datatype !== undefined && NUMBERS.has(term.datatype);
}

function sortKey(term: Term | undefined): string | number | undefined {
  if (term === undefined) return undefined;
  if (typeof term.value !== "string") return JSON.stringify(term.value);
  return isNumber(term) ? Number(term.value) : term.value.slice(0, LONG);
}

/** Numbers stand before texts, what is missing always last. */
function compare(a: string | number | undefined, b: string | number | undefined, sign: number): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? 1 : -1;
  if (typeof a === "number" && typeof b === "number") return sign * (a - b);
  if (typeof a === "string" && typeof b === "string") return sign * collator.compare(a, b);
  return sign * (typeof a === "number" ? -1 : 1);
}
