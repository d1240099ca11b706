/** What the editor completes: prefixes, our terms where they may stand, and the things of the graph by name. */
import type Yasqe from "@zazuko/yasqe";
import type { Hint } from "@zazuko/yasqe";
import { askJson, make } from "../shared/page";
import { escapeLocal, shorten, type Prefixes } from "./addresses";

interface Term {
  readonly iri: string;
  readonly kind: "class" | "property" | "concept" | "scheme";
  readonly label: string;
  readonly definition: string;
  /** Of a concept, the scheme that it is in; of a property, the scheme of its values. */
  readonly scheme?: string;
}

export interface Vocabulary {
  readonly prefixes: Prefixes;
  readonly terms: readonly Term[];
}

/** A completion: what is written, and what is told of it. */
interface Completion {
  readonly text: string;
  readonly label: string;
  readonly definition: string;
}

/** The word that stands before the cursor. */
interface Word {
  readonly prefix: string | null;
  readonly local: string;
  readonly from: number;
  readonly to: number;
}

const MOST = 60;

/** Milliseconds that one must pause in typing before the graph is asked. */
const PAUSE = 120;
const KINDS = "agent,document,issue,factor,other,proposition";
const NOT_HERE = new Set(["comment", "string", "variable-3", "atom", "meta", "keyword"]);
const told = new Map<string, Completion>();

/** Teach the library its completions; it has two that would ask other sites, which are not used. */
export function registerCompletions(library: typeof Yasqe, vocabulary: Vocabulary): void {
  const hints = (yasqe: Yasqe, found: Hint[]): Hint[] => {
    const word = wordAt(yasqe);
    const line = yasqe.getDoc().getCursor().line;
    return found.map((hint) => ({
      ...hint,
      from: { line, ch: word.from },
      to: { line, ch: word.to },
      render: (place: HTMLElement) => render(place, told.get(hint.text)),
    }));
  };
  const get = async (yasqe: Yasqe): Promise<string[]> => {
    const word = wordAt(yasqe);
    const found =
      word.prefix === "id" ? await things(word.local) : terms(vocabulary, word, expected(yasqe, word, vocabulary));
    for (const completion of found) told.set(completion.text, completion);
    return found.map((completion) => completion.text);
  };
  const known = (word: Word): boolean => word.prefix !== null && word.prefix in vocabulary.prefixes;
  const common = { get, postprocessHints: hints, bulk: false };
  // The one comes by itself once a prefix is typed, the other when it is asked for.
  library.registerAutocompleter(
    {
      ...common,
      name: "whosays-names",
      autoShow: true,
      isValidCompletionPosition: (yasqe) => mayStand(yasqe) && known(wordAt(yasqe)),
    },
    false,
  );
  library.registerAutocompleter(
    {
      ...common,
      name: "whosays-words",
      autoShow: false,
      isValidCompletionPosition: (yasqe) => mayStand(yasqe) && wordAt(yasqe).prefix === null,
    },
    false,
  );
  library.defaults.autocompleters = ["variables", "whosays-names", "whosays-words"];
}

function wordAt(yasqe: Yasqe): Word {
  const cursor = yasqe.getDoc().getCursor();
  const line = yasqe.getDoc().getLine(cursor.line);
  const before = /(?:([A-Za-z][\w.-]*):)?([\p{L}\p{N}_\\/.-]*)$/u.exec(line.slice(0, cursor.ch));
  const after = /^[\p{L}\p{N}_\\/-]*/u.exec(line.slice(cursor.ch))?.[0] ?? "";
  const whole = before?.[0] ?? "";
  return {
    prefix: before?.[1] ?? null,
    local: (before?.[2] ?? "").replaceAll("\\", ""),
    from: cursor.ch - whole.length,
    to: cursor.ch + after.length,
  };
}

function mayStand(yasqe: Yasqe): boolean {
  const cursor = yasqe.getDoc().getCursor();
  const before = yasqe.getDoc().getLine(cursor.line).slice(0, cursor.ch);
  const unclosed = /["'#]|<[^>\s]*$/.test(before.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|<[^>\s]*>/g, ""));
  return !unclosed && !/^\s*PREFIX\s/i.test(before) && !NOT_HERE.has(yasqe.getTokenAt(cursor).type ?? "");
}

/** Which terms may stand here: properties where a pattern wants one, classes after `a`, the values of a property. */
function expected(yasqe: Yasqe, word: Word, vocabulary: Vocabulary): (term: Term) => boolean {
  const state = yasqe.getTokenAt({ line: yasqe.getDoc().getCursor().line, ch: word.from }, true).state;
  if (state.possibleNext.includes("a")) return (term) => term.kind === "property";
  const property = state.lastProperty;
  if (property === "a" || property === "rdf:type") return (term) => term.kind === "class";
  const scheme = vocabulary.terms.find((term) => shorten(term.iri, vocabulary.prefixes) === property)?.scheme;
  return scheme === undefined ? () => true : (term) => term.scheme === scheme && term.kind === "concept";
}

function terms(vocabulary: Vocabulary, word: Word, fits: (term: Term) => boolean): Completion[] {
  const wanted = word.local.toLowerCase();
  const found: { readonly rank: number; readonly completion: Completion }[] = [];
  for (const term of vocabulary.terms) {
    const text = shorten(term.iri, vocabulary.prefixes);
    const local = text.slice(text.indexOf(":") + 1).toLowerCase();
    if ((word.prefix !== null && !text.startsWith(`${word.prefix}:`)) || !fits(term)) continue;
    const label = term.label.toLowerCase();
    const rank = local.startsWith(wanted)
      ? 0
      : label.startsWith(wanted) || local.includes(`-${wanted}`)
        ? 1
        : local.includes(wanted) || label.includes(wanted)
          ? 2
          : 3;
    if (rank < 3) found.push({ rank, completion: { text, label: term.label, definition: term.definition } });
  }
  if (word.prefix === null && wanted !== "")
    for (const [prefix, namespace] of Object.entries(vocabulary.prefixes))
      if (prefix.startsWith(wanted))
        found.push({ rank: 1, completion: { text: `${prefix}:`, label: "", definition: namespace } });
  return found
    .sort((a, b) => a.rank - b.rank || a.completion.text.localeCompare(b.completion.text))
    .slice(0, MOST)
    .map((one) => one.completion);
}

interface Suggestion {
  readonly name: string;
  readonly label: string;
  readonly matched: string;
}

let latest = "";

/** Things of the graph that are called so, in any language, as `server.pages.suggesting` finds them; the likest first. */
async function things(typed: string): Promise<Completion[]> {
  if (typed.length < 2) return [];
  latest = typed;
  await new Promise((resume) => window.setTimeout(resume, PAUSE));
  if (latest !== typed) return []; // more was typed meanwhile
  try {
    const found = await askJson<readonly Suggestion[]>(
      `/suggest?q=${encodeURIComponent(typed.replaceAll("-", " "))}&limit=30&kind=${KINDS}`,
    );
    return found.flatMap(({ name, label, matched }) => {
      const local = escapeLocal(name);
      return local === null
        ? []
        : [
            {
              text: `id:${local}`,
              label: matched && matched !== label ? `${label} (${matched})` : label,
              definition: "",
            },
          ];
    });
  } catch {
    return []; // whoever types can go on without
  }
}

function render(place: HTMLElement, completion: Completion | undefined): void {
  if (completion === undefined) return;
  place.append(make("code", {}, completion.text), make("bdi", { class: "label" }, completion.label.slice(0, 120)));
  if (completion.definition) place.append(make("span", { class: "definition" }, completion.definition.slice(0, 200)));
}
