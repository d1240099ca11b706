/** The editor: YASQE, which knows the grammar of SPARQL, taught our prefixes and made to be left by keyboard. */
import "@zazuko/yasqe/build/yasqe.min.css";
import Yasqe from "@zazuko/yasqe";
import type CodeMirror from "codemirror";
import { announce, debounced, make } from "../shared/page";
import type { Fault } from "./asking";
import { registerCompletions, type Vocabulary } from "./completing";

const GUTTER = "gutterErrorBar";
const LEAVING: CodeMirror.KeyMap = { Tab: false, "Shift-Tab": false };
const IN_WORDS: Readonly<Record<string, string>> = {
  VAR1: "a variable",
  VAR2: "a variable",
  IRI_REF: "a name",
  PNAME_LN: "a name",
  PNAME_NS: "a name",
  BLANK_NODE_LABEL: "a blank node",
  ANON: "a blank node",
  NIL: "()",
  INTEGER: "a number",
  DECIMAL: "a number",
  DOUBLE: "a number",
  STRING_LITERAL1: "a text",
  STRING_LITERAL2: "a text",
  STRING_LITERAL_LONG1: "a text",
  STRING_LITERAL_LONG2: "a text",
  LANGTAG: "a language tag",
  $: "the end",
};

interface Mode {
  startState: () => { prefixes: Record<string, string> };
}

/** What the page does with the editor. */
export interface Editor {
  text(): string;
  /** Put a text in; the one before can be had back by undoing. */
  replace(text: string): void;
  /** Mark where the query is wrong; null takes the mark away. */
  mark(fault: Fault | null): void;
  focus(): void;
}

/**
 * Put the editor in the place of a text area.
 *
 * @param area - the text area, which keeps the text for the form.
 * @param syntax - where is told what does not parse, as one types.
 * @param run - called by Ctrl+Enter.
 */
export function makeEditor(
  area: HTMLTextAreaElement,
  syntax: HTMLElement,
  vocabulary: Vocabulary,
  run: () => void,
): Editor {
  knowPrefixes(vocabulary);
  registerCompletions(Yasqe, vocabulary);
  const place = make("div");
  area.after(place);
  area.hidden = true;
  const nothing = null as never; // the library's way of leaving something out; its types do not know of it
  const runNow = (): void => {
    readTyped(yasqe);
    run();
  };
  const yasqe = new Yasqe(place, {
    value: "",
    showQueryButton: false,
    resizeable: false,
    editorHeight: "auto",
    persistenceId: null,
    consumeShareLink: null,
    createShareableLink: nothing,
    syntaxErrorCheck: false,
    inputStyle: "contenteditable",
    screenReaderLabel: "Query",
    highlightSelectionMatches: nothing,
    spellcheck: false,
    extraKeys: { "Ctrl-Enter": runNow, "Cmd-Enter": runNow, "Ctrl-S": () => undefined, Esc: () => leave(yasqe) },
  });
  yasqe.checkSyntax = () => undefined; // its own marks speak to mice alone, by styles that our policy does not let in
  const input = yasqe.getInputField();
  for (const [name, value] of Object.entries({ role: "textbox", "aria-multiline": "true", "aria-label": "Query" }))
    input.setAttribute(name, value);
  input.addEventListener("keypress", () => readTyped(yasqe), { capture: true });
  const label = area.labels?.[0];
  label?.addEventListener("click", () => yasqe.focus());

  let marked: { line: number; mark: CodeMirror.TextMarker } | null = null;
  const mark = (fault: Fault | null): void => {
    if (marked !== null) {
      yasqe.removeLineClass(marked.line, "background", "fault-line");
      marked.mark.clear();
      marked = null;
    }
    yasqe.clearGutter(GUTTER);
    if (fault === null) return;
    const line = Math.min(fault.line - 1, yasqe.getDoc().lastLine());
    const from = Math.max(0, fault.column - 1);
    const rest = yasqe.getDoc().getLine(line).slice(from);
    const length = /^\s*\S*/.exec(rest)?.[0].length ?? 1;
    yasqe.addLineClass(line, "background", "fault-line");
    yasqe.setGutterMarker(line, GUTTER, make("span", { class: "fault", "aria-hidden": "true" }, "!"));
    marked = {
      line,
      mark: yasqe
        .getDoc()
        .markText(
          { line, ch: Math.min(from, from + rest.length - 1) },
          { line, ch: from + length },
          { className: "fault-mark" },
        ),
    };
  };

  const look = debounced(400, () => {
    readTyped(yasqe);
    const fault = firstFault(yasqe);
    mark(fault);
    const words = fault === null ? "" : `Line ${fault.line}: ${fault.words}.`;
    if (syntax.textContent !== words) syntax.textContent = words;
  });
  yasqe.on(
    "change" as never,
    (() => {
      area.value = yasqe.getValue();
      mark(null);
      look();
    }) as never,
  );
  yasqe.on("autocompletionShown", (_: unknown, widget: { hints: HTMLElement } | undefined) => {
    const hints = widget?.hints ?? place.querySelector<HTMLElement>(".CodeMirror-hints");
    hints?.removeAttribute("aria-expanded"); // which a list box cannot have
    hints?.setAttribute("aria-label", "Completions");
    hints?.setAttribute("tabindex", "0"); // it scrolls
  });
  yasqe.setValue(area.value);
  yasqe.getDoc().clearHistory();
  return {
    text: () => yasqe.getValue(),
    replace: (text) => {
      const end = { line: yasqe.getDoc().lastLine() + 1, ch: 0 };
      yasqe.getDoc().replaceRange(text, { line: 0, ch: 0 }, end);
      yasqe.scrollTo(0, 0);
      yasqe.getDoc().setCursor({ line: 0, ch: 0 });
    },
    mark: (fault) => {
      mark(fault);
      if (fault !== null) yasqe.getDoc().setCursor({ line: fault.line - 1, ch: fault.column - 1 });
    },
    focus: () => yasqe.focus(),
  };
}

/**
 * Have the library read what came without a key, from a phone or by dictation: it does so 80 ms late, and whatever it
 * draws meanwhile is drawn without that.
 */
function readTyped(yasqe: Yasqe): void {
  const { input } = (
    yasqe as unknown as {
      display: { input: { composing: unknown; readDOMTimeout?: number | null; updateFromDOM?: () => void } };
    }
  ).display;
  if (input.readDOMTimeout != null && !input.composing) input.updateFromDOM?.();
}

/** Have the grammar know the prefixes that need no declaration. */
function knowPrefixes(vocabulary: Vocabulary): void {
  const library = Object.getPrototypeOf(Yasqe) as typeof CodeMirror & {
    modes: Record<string, (...given: unknown[]) => Mode>;
  };
  const usual = library.modes["sparql11"];
  if (usual === undefined) return;
  library.defineMode("sparql11", ((...given: unknown[]) => {
    const mode = usual(...given);
    const start = mode.startState;
    mode.startState = () => {
      const state = start();
      Object.assign(state.prefixes, vocabulary.prefixes);
      return state;
    };
    return mode;
  }) as never);
}

/** Let the next Tab go to what comes after the editor, as it does in a text area. */
function leave(yasqe: Yasqe): void {
  yasqe.addKeyMap(LEAVING);
  announce("Tab now leaves the editor.");
  const stay = (): void => {
    yasqe.removeKeyMap(LEAVING);
    yasqe.off("blur", stay);
    yasqe.off("changes" as never, stay as never);
  };
  yasqe.on("blur", stay);
  yasqe.on("changes" as never, stay as never);
}

/** The first place that the grammar does not know; null where there is none. */
function firstFault(yasqe: Yasqe): Fault | null {
  const doc = yasqe.getDoc();
  for (let line = 0; line < doc.lineCount(); line += 1) {
    const state = yasqe.getTokenAt({ line, ch: doc.getLine(line).length }, true).state;
    if (state.OK) continue;
    const may = [...new Set<string>(state.possibleCurrent.map((name: string) => IN_WORDS[name] ?? name))]
      .sort((a, b) => Number(/^\W/.test(a)) - Number(/^\W/.test(b))) // words before signs
      .slice(0, 10);
    const undeclared = /^Prefix '(.*)' is not defined$/.exec(state.errorMsg ?? "");
    const words = undeclared
      ? `the prefix \`${undeclared[1] ?? ""}:\` is not declared`
      : may.length
        ? `not expected; here may stand ${may.join(", ")}`
        : "this is not SPARQL";
    return { line: line + 1, column: (state.errorStartPos ?? 0) + 1, words };
  }
  return null;
}
