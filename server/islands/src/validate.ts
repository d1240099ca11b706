/** The validate page: the report keeps up with what one types, and files may be dropped. */
import { announce, ask, debounced, find, findAll, make } from "./shared/page";

/** Bytes of a file up to which it is put into the text area; a larger one is sent as it is. */
const EDITABLE = 500_000;

/** Characters of a text up to which it is judged as one types; of a longer one when the button is pressed. */
const LIVE = 200_000;

function start(form: HTMLFormElement, report: HTMLElement): void {
  const text = form.elements.namedItem("text") as HTMLTextAreaElement;
  const file = form.elements.namedItem("file") as HTMLInputElement;
  const name = form.elements.namedItem("name") as HTMLInputElement;
  const syntax = form.elements.namedItem("form") as HTMLSelectElement;
  const largest = Number(form.dataset["largest"]);
  const gutter = new Gutter(text, find("[data-gutter]", form));
  let latest: AbortController | null = null;

  document.documentElement.classList.add("scripting");
  find("[data-drop-help]")?.removeAttribute("hidden");

  const judge = async (): Promise<void> => {
    latest?.abort();
    const own = new AbortController();
    latest = own;
    report.setAttribute("aria-busy", "true");
    const body = new FormData(form);
    body.set("intent", "check");
    try {
      const response = await ask("/validate", {
        method: "POST",
        body,
        signal: own.signal,
        headers: { "X-Fragment": "1", Accept: "text/html" },
      });
      show(await response.text());
    } catch (error) {
      if (own.signal.aborted) return;
      const words = error instanceof Error ? error.message : String(error);
      show("");
      find("[data-found]", report)?.replaceChildren(
        make(
          "p",
          { class: "verdict problem", "data-verdict": "" },
          words.includes("<") ? "The server cannot judge this now; try again in a moment." : words,
        ),
      );
      announce(words);
    } finally {
      if (latest === own) report.removeAttribute("aria-busy");
    }
  };

  const show = (html: string): void => {
    const found = new DOMParser().parseFromString(html, "text/html");
    find("[data-found]", report)?.replaceChildren(...found.body.childNodes);
    report.hidden = false;
    const verdict = find("[data-verdict]", report);
    announce(verdict?.textContent?.trim() ?? "");
    for (const button of findAll<HTMLButtonElement>("[data-pass-on]", form))
      button.disabled = verdict?.classList.contains("good") !== true;
    gutter.mark(findAll(".notes li", report));
  };

  const clear = (): void => {
    latest?.abort();
    report.hidden = true;
    gutter.mark([]);
  };

  const live = debounced(500, () => {
    if (text.value.trim() === "" && !file.files?.length) clear();
    else if (text.value.length <= LIVE) void judge();
  });

  const take = async (chosen: File): Promise<void> => {
    if (chosen.size > largest) {
      file.value = "";
      announce(`${chosen.name} is larger than 10 MB.`);
      clear();
      report.hidden = false;
      find("[data-found]", report)?.replaceChildren(
        make(
          "p",
          { class: "verdict problem" },
          `${chosen.name} is larger than the 10 MB that are taken. Send it in parts.`,
        ),
      );
      return;
    }
    name.value = chosen.name;
    syntax.value = "";
    if (chosen.size <= EDITABLE) {
      text.value = await chosen.text();
      file.value = "";
    } else text.value = "";
    gutter.draw();
    await judge();
  };

  text.addEventListener("input", () => {
    file.value = "";
    gutter.draw();
    live();
  });
  syntax.addEventListener("change", live);
  file.addEventListener("change", () => {
    const chosen = file.files?.[0];
    if (chosen !== undefined) void take(chosen);
  });
  form.addEventListener("submit", (event) => {
    const intent = (event.submitter as HTMLButtonElement | null)?.value;
    if (intent !== undefined && intent !== "check") return; // proposing leads to another page
    event.preventDefault();
    void judge();
  });

  for (const kind of ["dragover", "dragleave", "drop"] as const)
    document.addEventListener(kind, (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      document.documentElement.classList.toggle("dropping", kind === "dragover");
      const dropped = kind === "drop" ? event.dataTransfer.files[0] : undefined;
      if (dropped === undefined) return;
      file.files = event.dataTransfer.files;
      void take(dropped);
    });

  report.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest<HTMLElement>("a[data-line]") : null;
    const line = Number(link?.dataset["line"]);
    if (link === null || text.value === "") return; // the link leads to the line in the report
    event.preventDefault();
    gutter.go(line);
    find(`#line-${line}`, report)?.scrollIntoView({ block: "nearest" });
  });
  gutter.draw();
  gutter.mark(findAll(".notes li", report));
  if (text.value.trim() !== "" && report.hidden) live(); // what the browser kept from before
}

/** The numbers beside the text, and marks at the lines that something was found in. */
class Gutter {
  private readonly numbers = make("pre");
  private readonly marks = make("div");
  private lines = 0;

  constructor(
    private readonly text: HTMLTextAreaElement,
    place: HTMLElement | null,
  ) {
    place?.append(this.marks, this.numbers);
    text.addEventListener("scroll", () => this.follow(), { passive: true });
    new ResizeObserver(() => this.follow()).observe(text);
  }

  draw(): void {
    const lines = this.text.value.split("\n").length;
    if (lines === this.lines) return;
    this.lines = lines;
    this.numbers.textContent = Array.from({ length: lines }, (_, at) => at + 1).join("\n");
  }

  /** Mark the lines of findings, the gravest kind of each. */
  mark(found: readonly HTMLElement[]): void {
    const kinds = new Map<number, string>();
    for (const note of found) {
      const line = Number(find("[data-line]", note)?.dataset["line"]);
      if (line && !kinds.has(line)) kinds.set(line, note.className);
    }
    this.marks.replaceChildren(
      ...[...kinds].map(([line, kind]) => {
        const mark = make("div", { class: `mark ${kind}` });
        mark.style.top = `${this.top(line)}px`;
        return mark;
      }),
    );
  }

  /** Put the cursor on a line. */
  go(line: number): void {
    const before = this.text.value.split("\n").slice(0, line - 1);
    const start = before.reduce((sum, one) => sum + one.length + 1, 0);
    const end = this.text.value.indexOf("\n", start);
    this.text.focus();
    this.text.setSelectionRange(start, end < 0 ? this.text.value.length : end);
    this.text.scrollTop = this.top(line) - this.text.clientHeight / 3;
    this.text.scrollLeft = 0;
  }

  private top(line: number): number {
    const style = getComputedStyle(this.text);
    return parseFloat(style.paddingTop) + (line - 1) * parseFloat(style.lineHeight);
  }

  private follow(): void {
    for (const part of [this.numbers, this.marks]) part.style.transform = `translateY(${-this.text.scrollTop}px)`;
  }
}

const form = find<HTMLFormElement>("form[data-validate]");
const report = find("[data-report]");
if (form !== null && report !== null) start(form, report);
