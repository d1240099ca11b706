/** What was asked before: kept in this browser alone, where it may keep anything. */
import { find, make } from "../shared/page";

const KEY = "whosays-sparql-history";
const MOST = 40;

interface Entry {
  readonly text: string;
  readonly at: string;
  readonly told: string;
}

/** Keeps the list on the page. */
export class History {
  constructor(
    private readonly place: HTMLElement,
    private readonly open: (text: string) => void,
  ) {
    find("[data-forget]", place)?.addEventListener("click", () => {
      write([]);
      this.show();
    });
    this.show();
  }

  /** Note a query that was answered; one that is there already moves to the front. */
  add(text: string, told: string): void {
    const rest = read().filter((entry) => entry.text !== text);
    write([{ text, told, at: new Date().toISOString() }, ...rest].slice(0, MOST));
    this.show();
  }

  private show(): void {
    const entries = read();
    this.place.hidden = entries.length === 0;
    find("[data-entries]", this.place)?.replaceChildren(
      ...entries.map((entry) => {
        const shown = entry.text.replace(/^(?:\s|#.*\n|PREFIX[^>]*>)+/i, "").replace(/\s+/g, " ");
        const button = make(
          "button",
          { type: "button", class: "plain" },
          shown.length > 140 ? `${shown.slice(0, 140)}…` : shown,
        );
        button.addEventListener("click", () => this.open(entry.text));
        return make(
          "li",
          {},
          button,
          " ",
          make("span", { class: "quiet" }, `${new Date(entry.at).toLocaleString()}, ${entry.told}`),
        );
      }),
    );
  }
}

function read(): readonly Entry[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(kept)
      ? kept.filter((entry): entry is Entry => typeof (entry as Entry | null)?.text === "string")
      : [];
  } catch {
    return [];
  }
}

function write(entries: readonly Entry[]): void {
  try {
    if (entries.length) localStorage.setItem(KEY, JSON.stringify(entries));
    else localStorage.removeItem(KEY);
  } catch {
    // The browser keeps nothing; so be it.
  }
}
