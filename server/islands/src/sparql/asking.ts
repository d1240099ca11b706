/** Asking the endpoint as any other program would, by the SPARQL protocol; each query has a name to be stopped by. */

export interface Term {
  readonly type: "uri" | "literal" | "bnode" | "typed-literal" | "triple";
  readonly value: string | { readonly subject: Term; readonly predicate: Term; readonly object: Term };
  readonly "xml:lang"?: string;
  readonly datatype?: string;
}
export type Row = Readonly<Record<string, Term | undefined>>;

/** What came, and how. */
export interface Answer {
  readonly content:
    | { readonly kind: "rows"; readonly columns: readonly string[]; readonly rows: readonly Row[] }
    | { readonly kind: "truth"; readonly value: boolean }
    | { readonly kind: "statements"; readonly turtle: string };
  readonly bytes: number;
  readonly milliseconds: number;
  /** Whether the server had it ready. */
  readonly kept: boolean;
}

/** Where a query is wrong; line and column count from 1. */
export interface Fault {
  readonly line: number;
  readonly column: number;
  readonly words: string;
}

/** Why there is no answer, in words; and where the query is wrong, if that is why. */
export class NoAnswer extends Error {
  constructor(
    message: string,
    readonly fault: Fault | null = null,
  ) {
    super(message);
  }
}

/** Bytes of an answer that a page can hold; what is larger is for a file. */
export const LARGEST = 64_000_000;

const ACCEPT = "application/sparql-results+json, text/turtle;q=0.9, application/problem+json;q=0.8";
const RELATIVE = /<(?![A-Za-z][A-Za-z0-9+.-]*:)[^<>"{}|^`\u0000-\u0020]*>/;

interface Results {
  readonly head: { readonly vars?: readonly string[] };
  readonly boolean?: boolean;
  readonly results?: { readonly bindings: readonly Row[] };
}

/** Names of the queries of this visit: the same text keeps its name, so that an answer that is kept is found again. */
const names = new Map<string, string>();

/** The name by which a query can be stopped. */
export function nameOf(text: string): string {
  const known = names.get(text);
  if (known !== undefined) return known;
  const made = [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
  names.set(text, made);
  return made;
}

/**
 * Ask a query.
 *
 * @param heard - is told how many bytes have come.
 * @throws NoAnswer where there is none; an `AbortError` where the caller stopped it.
 */
export async function askSparql(text: string, signal: AbortSignal, heard: (bytes: number) => void): Promise<Answer> {
  const begun = performance.now();
  const own = new AbortController();
  signal.addEventListener("abort", () => own.abort(signal.reason), { once: true });
  // The server puts BASE before relative names, on the first line: an empty one keeps the columns of faults true.
  const sent = RELATIVE.test(text) ? `\n${text}` : text;
  let response: Response;
  try {
    response = await fetch("/sparql", {
      method: "POST",
      headers: { Accept: ACCEPT },
      body: new URLSearchParams({ query: sent, "query-id": nameOf(text) }),
      signal: own.signal,
      credentials: "same-origin",
    });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new NoAnswer("The server cannot be reached. Is it running, and are you online?");
  }
  if (!response.ok) throw await problemOf(response, text, sent === text ? 0 : 1);
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  const reader = response.body?.getReader();
  try {
    for (let piece = await reader?.read(); piece && !piece.done; piece = await reader?.read()) {
      pieces.push(piece.value);
      bytes += piece.value.length;
      heard(bytes);
      if (bytes > LARGEST) break;
    }
  } catch (error) {
    if (signal.aborted) throw error;
    throw new NoAnswer(
      `The answer was cut off after ${sizeInWords(bytes)}: it grew too large, or took too long. Ask for less (LIMIT).`,
    );
  }
  if (bytes > LARGEST) {
    own.abort();
    throw new NoAnswer(
      `The answer is larger than the ${sizeInWords(LARGEST)} that a page can hold. Ask for less (LIMIT).`,
    );
  }
  const body = await new Blob(pieces).text();
  const turtle = (response.headers.get("Content-Type") ?? "").startsWith("text/turtle");
  const kept = response.headers.get("Whosays-Query") === null;
  return {
    content: turtle ? { kind: "statements", turtle: body } : read(body),
    bytes,
    kept,
    milliseconds: performance.now() - begun,
  };
}

/** Stop a query on the server; it may have ended by then. */
export async function stop(text: string): Promise<void> {
  await fetch(`/running/${nameOf(text)}`, { method: "DELETE", credentials: "same-origin" }).catch(() => undefined);
}

/** Bytes in words. */
export function sizeInWords(bytes: number): string {
  if (bytes < 1_000) return `${bytes} bytes`;
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

function read(body: string): Answer["content"] {
  const told = JSON.parse(body) as Results;
  if (told.boolean !== undefined) return { kind: "truth", value: told.boolean };
  return { kind: "rows", columns: told.head.vars ?? [], rows: told.results?.bindings ?? [] };
}

async function problemOf(response: Response, text: string, linesBefore: number): Promise<NoAnswer> {
  const body = await response.text();
  let [title, detail] = [body.slice(0, 1_000), ""];
  try {
    const told = JSON.parse(body) as { title?: string; detail?: string };
    [title, detail] = [told.title ?? title, told.detail ?? ""];
  } catch {
    // A proxy may answer in its own words.
  }
  const fault = response.status === 400 ? faultIn(title, text, linesBefore) : null;
  if (fault !== null) return new NoAnswer(`Line ${fault.line}, column ${fault.column}: ${fault.words}.`, fault);
  const words = [title || `The server answered ${response.status}`, detail].filter((part) => part !== "");
  return new NoAnswer(
    words.map((part) => part.charAt(0).toUpperCase() + part.slice(1).replace(/\.?\s*$/, ".")).join(" "),
  );
}

/** Where the engine says that the query is wrong; as `server.pages.sparql_page.find_fault` has it. */
function faultIn(problem: string, text: string, linesBefore: number): Fault | null {
  const found = /error at (\d+):(\d+): ([^]*)/.exec(problem);
  if (found === null) return null;
  const lines = text.split("\n");
  const line = Math.min(Math.max(1, Number(found[1]) - linesBefore), lines.length);
  const near = lines[line - 1] ?? "";
  const column = Math.min(Number(found[2]), near.length + 1);
  const expected = found[3] ?? "";
  const prefix = expected.includes("Prefix not found") ? /([\w.-]*):[^\s:]*$/.exec(near.slice(0, column - 1)) : null;
  if (prefix !== null)
    return { line, column: prefix.index + 1, words: `the prefix \`${prefix[1] ?? ""}:\` is not declared` };
  if (expected.includes("SELECT contains a variable that is unbound"))
    return { line, column, words: "SELECT names a variable that the pattern does not bind, or that is not grouped by" };
  return {
    line,
    column,
    words: expected.includes("IRI parsing failed") ? "this is no IRI" : "the query does not parse here",
  };
}
