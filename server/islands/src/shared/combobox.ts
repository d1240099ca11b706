/**
 * A text field with suggestions from the server: an editable combobox with a list, as the ARIA practices have it
 * (https://www.w3.org/WAI/ARIA/apg/patterns/combobox/). The focus stays in the field; whatever is typed may stand.
 */
import { askJson, debounced, make } from "./page";

/** Something that can be taken. */
export interface Suggestion {
  /** What is written into the field. */
  readonly value: string;
  readonly label: string;
  /** What it is, and by which name it was found; shown smaller. */
  readonly aside: string;
}

export interface Source {
  /** Address that answers with suggestions for what was typed; "" where none is to be asked. */
  address(words: string): string;
  /** Suggestions that need no asking; they come first. */
  own(words: string): readonly Suggestion[];
}

interface Told {
  readonly value: string;
  readonly label: string;
  readonly class: string;
  readonly matched: string;
}

const PAUSE = 120;
let count = 0;

/** Make a combobox of a text field; what is taken is told as if it had been typed. */
export function makeCombobox(field: HTMLInputElement, source: Source): void {
  const id = `suggestions-${(count += 1)}`;
  const name = field.getAttribute("aria-label") ?? field.labels?.[0]?.textContent?.trim() ?? "";
  const list = make("ul", { id, class: "suggestions", role: "listbox", "aria-label": `Suggestions: ${name}` });
  list.hidden = true;
  field.after(list);
  field.removeAttribute("list"); // the browser's own list would lie over ours
  for (const [key, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": id })) {
    field.setAttribute(key, value);
  }
  let shown: readonly Suggestion[] = [];
  let active = -1;
  let asking: AbortController | undefined;
  let settled: string | null = null; // what was taken or closed upon; nothing is suggested until more is typed

  /** Say whether the list answers what is written, or an answer is still under way. */
  function pending(yes: boolean): void {
    list.setAttribute("aria-busy", String(yes));
  }

  function close(): void {
    asking?.abort();
    pending(false);
    settled = field.value;
    list.hidden = true;
    active = -1;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  }

  function go(to: number): void {
    active = shown.length === 0 ? -1 : (to + shown.length) % shown.length;
    [...list.children].forEach((option, at) => {
      option.setAttribute("aria-selected", String(at === active));
      if (at === active) {
        field.setAttribute("aria-activedescendant", option.id);
        option.scrollIntoView({ block: "nearest" });
      }
    });
  }

  function take(at: number): void {
    const suggestion = shown[at];
    if (suggestion === undefined) return;
    field.value = suggestion.value;
    close();
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }

  function show(suggestions: readonly Suggestion[]): void {
    const held = shown[active]?.value;
    pending(false);
    shown = suggestions;
    active = -1;
    field.removeAttribute("aria-activedescendant");
    list.replaceChildren(
      ...shown.map((one, at) => {
        const option = make("li", { id: `${id}-${at}`, role: "option", "aria-selected": "false" }, make("bdi", {}, one.label));
        if (one.aside !== "") option.append(" ", make("span", { class: "quiet" }, make("bdi", {}, one.aside)));
        option.addEventListener("mousedown", (event) => event.preventDefault());
        option.addEventListener("click", () => take(at));
        return option;
      }),
    );
    list.hidden = shown.length === 0;
    field.setAttribute("aria-expanded", String(!list.hidden));
    const still = held === undefined ? -1 : shown.findIndex((one) => one.value === held);
    if (still >= 0) go(still);
  }

  async function look(): Promise<void> {
    asking?.abort();
    if (field.value === settled) {
      pending(false);
      return;
    }
    settled = null;
    pending(true);
    const words = field.value.trim();
    const own = source.own(words);
    const address = source.address(words);
    if (address === "") {
      show(own);
      return;
    }
    asking = new AbortController();
    const { signal } = asking;
    try {
      const told = await askJson<Told[]>(address, { signal });
      if (signal.aborted || document.activeElement !== field) return;
      const known = new Set(own.map((one) => one.value));
      const found = told.map((one) => ({ value: one.value, label: one.label, aside: [one.class, one.matched].filter((words) => words !== "").join(", ") }));
      show([...own, ...found.filter((one) => !known.has(one.value))]);
    } catch {
      if (!signal.aborted) show(own); // the field can be filled without suggestions
    }
  }

  const lookSoon = debounced(PAUSE, () => void look());
  field.addEventListener("input", () => {
    pending(true);
    lookSoon();
  });
  field.addEventListener("focus", () => {
    if (field.value.trim() !== "") return;
    settled = null;
    show(source.own(""));
  });
  field.addEventListener("blur", close);
  field.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) {
        settled = null;
        void look();
      }
      else go(active < 0 && event.key === "ArrowUp" ? -1 : active + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter" && !list.hidden && active >= 0) {
      event.preventDefault();
      take(active);
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      event.stopPropagation();
      close();
    }
  });
}
