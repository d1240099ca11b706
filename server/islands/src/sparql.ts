/** The SPARQL page: the editor in place of the text area, and the answer below it. */
import { announce, ask, askJson, find, make } from "./shared/page";
import { AnswerTable } from "./sparql/table";
import { askSparql, NoAnswer, sizeInWords, stop, type Answer } from "./sparql/asking";
import { makeEditor, type Editor } from "./sparql/editor";
import { History } from "./sparql/history";
import { listSaved, readHeading, wireSaving } from "./sparql/saving";
import { showTurtle, SHOWN } from "./sparql/turtle";
import type { Vocabulary } from "./sparql/completing";

/** Characters of a query that an address carries to the server; a longer one stays behind the `#`. */
const LONGEST = 6_000;
const FORMATS = {
  rows: ["csv", "tsv", "json", "xml"],
  truth: ["json", "xml", "csv"],
  statements: ["ttl", "nt", "rdf", "jsonld"],
} as const;
const NAMES_KEY = "whosays-sparql-names";

async function start(
  form: HTMLFormElement,
  area: HTMLTextAreaElement,
  syntax: HTMLElement,
  place: HTMLElement,
): Promise<void> {
  const language = form.dataset["language"] ?? "en";
  const vocabulary = await askJson<Vocabulary>(form.dataset["terms"] ?? "/sparql/terms");
  const behind = new URLSearchParams(location.hash.slice(1)).get("edit");
  if (behind !== null) area.value = behind;
  const page = new Page(form, place, vocabulary, language);
  const editor = makeEditor(area, syntax, vocabulary, () => void page.run());
  page.editor = editor;
  document.documentElement.classList.add("scripting");
  for (const name of ["keys", "more"]) find(`[data-${name}]`)?.removeAttribute("hidden");

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void page.run();
  });
  find("[data-stop]", form)?.addEventListener("click", () => page.stop());
  find("[data-share]", form)?.addEventListener("click", () => {
    page.keepAddress();
    copy(location.href, "The link is copied.");
  });
  find("[data-curl]", form)?.addEventListener("click", () => copy(asCurl(editor.text()), "The command is copied."));

  const list = find("[data-saved]");
  const opener = find("[data-save]", form);
  const saveForm = find<HTMLFormElement>("[data-save-form]");
  const saving =
    opener === null || saveForm === null
      ? null
      : wireSaving(
          saveForm,
          opener,
          editor.text,
          (name) => list && listSaved(list, name, readHeading(editor.text()).title || name),
        );
  list?.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest<HTMLAnchorElement>("a[data-name]") : null;
    const name = link?.dataset["name"];
    if (link === null || name === undefined || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    void ask(`/queries/${encodeURIComponent(name)}.rq`).then(async (response) => {
      editor.replace(await response.text());
      saving?.opened("own" in link.dataset ? name : "");
      announce(`${link.textContent ?? name} is in the editor.`);
      editor.focus();
    });
  });
  const history = find("[data-history]");
  if (history !== null)
    page.history = new History(history, (text) => {
      editor.replace(text);
      editor.focus();
    });
}

/** The page, once all is there. */
class Page {
  editor!: Editor;
  history: History | null = null;
  private running: { readonly text: string; readonly controller: AbortController; stopped: boolean } | null = null;
  private names = remembered();

  constructor(
    private readonly form: HTMLFormElement,
    private readonly place: HTMLElement,
    private readonly vocabulary: Vocabulary,
    private readonly language: string,
  ) {}

  async run(): Promise<void> {
    const text = this.editor.text();
    this.running?.controller.abort(); // not by its name, which the next one has too if its text is the same
    const controller = new AbortController();
    const running = { text, controller, stopped: false };
    this.running = running;
    this.place.hidden = false;
    this.busy(true);
    this.editor.mark(null);
    this.keepAddress();
    const begun = performance.now();
    let bytes = 0;
    const tick = window.setInterval(() => {
      const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
      this.tell(`Asking … ${seconds} s${bytes ? `, ${sizeInWords(bytes)} so far` : ""}`, false);
    }, 200);
    try {
      const answer = await askSparql(text, controller.signal, (heard) => {
        bytes = heard;
      });
      window.clearInterval(tick); // before the page is busy with showing
      this.show(answer, text);
    } catch (error) {
      window.clearInterval(tick);
      if (this.running !== running) return; // another one was asked
      if (running.stopped) this.fail("Stopped.");
      else if (error instanceof NoAnswer) {
        this.fail(error.message);
        this.editor.mark(error.fault);
      } else throw error;
    } finally {
      window.clearInterval(tick);
      if (this.running === running) {
        this.running = null;
        this.busy(false);
      }
    }
  }

  stop(): void {
    if (this.running === null) return;
    const { text, controller } = this.running;
    this.running.stopped = true;
    void stop(text).then(() => controller.abort()); // in this order: who hangs up is no longer listed as running
  }

  /** Have the address hold the query, so that it can be sent to somebody. */
  keepAddress(): void {
    const encoded = encodeURIComponent(this.editor.text());
    history.replaceState(null, "", `/sparql${encoded.length > LONGEST ? "#" : "?"}edit=${encoded}`);
  }

  private show(answer: Answer, text: string): void {
    const { content } = answer;
    const milliseconds = answer.milliseconds;
    const took = milliseconds < 1_000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1_000).toFixed(1)} s`;
    const count =
      content.kind === "rows"
        ? `${content.rows.length.toLocaleString("en")} ${content.rows.length === 1 ? "row" : "rows"}`
        : content.kind === "truth"
          ? "yes or no"
          : "statements";
    const summary = `${count} in ${took}, ${sizeInWords(answer.bytes)}${answer.kept ? ", kept from before" : ""}.`;
    this.history?.add(text, `${count} in ${took}`);
    if (content.kind === "truth") this.put(make("p", { class: "verdict" }, content.value ? "Yes." : "No."));
    else if (content.kind === "statements") {
      this.put(showTurtle(content.turtle, this.vocabulary.prefixes));
      if (content.turtle.length > SHOWN)
        this.put(make("p", { class: "quiet" }, "This is the beginning; take all of it away as a file."), false);
    } else {
      const table = new AnswerTable(content.columns, content.rows, this.vocabulary.prefixes);
      this.put(this.switchNames(table));
      this.put(table.place, false);
    }
    this.put(this.takeAway(text, FORMATS[content.kind]), false);
    this.tell(summary, true);
    if (this.place.getBoundingClientRect().top > window.innerHeight - 120)
      this.place.scrollIntoView({ block: "start" });
  }

  private fail(words: string): void {
    this.put(make("p", { class: "problem" }, words));
    this.tell("", false);
    announce(words);
  }

  private put(element: HTMLElement, alone = true): void {
    const shown = find("[data-shown]", this.place);
    if (alone) shown?.replaceChildren();
    shown?.append(element);
  }

  private tell(words: string, aloud: boolean): void {
    const told = find("[data-told]", this.place);
    if (told === null) return;
    told.setAttribute("aria-live", aloud ? "polite" : "off");
    told.textContent = words;
  }

  private busy(is: boolean): void {
    find("[data-stop]", this.form)?.toggleAttribute("hidden", !is);
    this.place.setAttribute("aria-busy", String(is));
    if (is) announce("Asking.");
  }

  private switchNames(table: AnswerTable): HTMLElement {
    const box = make("input", { type: "checkbox", id: "names" });
    box.checked = this.names;
    const change = (): void =>
      void table.name(box.checked ? (iris) => this.namesOf(iris) : null).catch(() => undefined);
    box.addEventListener("change", () => {
      this.names = box.checked;
      remember(box.checked);
      change();
    });
    if (this.names) change();
    return make("div", { class: "bar" }, make("label", {}, box, " names in place of identifiers"));
  }

  private async namesOf(iris: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const safe = iris.filter((iri) => !/[<>"{}|^`\\\u0000-\u0020]/.test(iri));
    if (safe.length === 0) return new Map();
    const things = safe.map((iri) => `<${iri}>`).join(" ");
    const name = `ws:label(?thing, ${JSON.stringify(this.language)})`;
    const query = `SELECT ?thing (${name} AS ?name) { VALUES ?thing { ${things} } }`;
    const body = new URLSearchParams({ query, format: "json" });
    const told = (await (await fetch("/sparql", { method: "POST", body })).json()) as {
      results: { bindings: readonly { thing: { value: string }; name?: { value: string } }[] };
    };
    return new Map(
      told.results.bindings.flatMap(({ thing, name }) => (name ? [[thing.value, name.value] as const] : [])),
    );
  }

  private takeAway(text: string, formats: readonly string[]): HTMLElement {
    const place = make("p", {}, "Take all of it away: ");
    formats.forEach((format, at) => {
      const address = `/sparql?query=${encodeURIComponent(text)}&format=${format}`;
      const file = `answer.${format}`;
      const link = make("a", { href: address, download: file }, format.toUpperCase());
      if (address.length > 4 * LONGEST)
        link.addEventListener("click", (event) => void download(event, text, format, file));
      place.append(...(at ? [", "] : []), link);
    });
    return place;
  }
}

/** Take an answer away whose query is too long for an address. */
async function download(event: Event, text: string, format: string, file: string): Promise<void> {
  event.preventDefault();
  const response = await ask("/sparql", { method: "POST", body: new URLSearchParams({ query: text, format }) });
  const address = URL.createObjectURL(await response.blob());
  make("a", { href: address, download: file }).click();
  URL.revokeObjectURL(address);
}

function asCurl(text: string): string {
  const quoted = `'query=${text.replaceAll("'", "'\\''")}'`;
  const accept = "-H 'Accept: application/sparql-results+json, text/turtle;q=0.9'";
  return `curl '${location.origin}/sparql' ${accept} --data-urlencode ${quoted}`;
}

function copy(text: string, done: string): void {
  navigator.clipboard?.writeText(text).then(
    () => announce(done),
    () => window.prompt("Copy this:", text),
  ) ?? window.prompt("Copy this:", text);
}

function remembered(): boolean {
  try {
    return localStorage.getItem(NAMES_KEY) === "yes";
  } catch {
    return false;
  }
}

function remember(names: boolean): void {
  try {
    localStorage.setItem(NAMES_KEY, names ? "yes" : "no");
  } catch {
    // The browser keeps nothing.
  }
}

const form = find<HTMLFormElement>("form[data-sparql]");
const area = find<HTMLTextAreaElement>("#query");
const syntax = find("[data-syntax]");
const place = find("[data-answer]");
if (form !== null && area !== null && syntax !== null && place !== null) void start(form, area, syntax, place);
