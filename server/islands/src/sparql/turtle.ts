/** Turtle for people: names shortened by prefixes, and each of them a link. */
import { make } from "../shared/page";
import { addressOf, shorten, type Prefixes } from "./addresses";

/** Characters of Turtle that are shown; the rest is for a file. */
export const SHOWN = 200_000;

const TOKEN = /"(?:[^"\\]|\\.)*"|<([^<>"{}|^`\\\u0000-\u0020]*)>/g;

/** Show Turtle. The engine writes every name in full and every text in one pair of quotes, so two tokens are enough. */
export function showTurtle(turtle: string, prefixes: Prefixes): HTMLElement {
  const shown = turtle.length > SHOWN ? turtle.slice(0, turtle.lastIndexOf("\n", SHOWN) + 1) : turtle;
  const used = new Set<string>();
  const code = make("code");
  let at = 0;
  for (const token of shown.matchAll(TOKEN)) {
    const iri = token[1];
    if (iri === undefined) continue;
    const short = shorten(iri, prefixes);
    if (!short.startsWith("<")) used.add(short.slice(0, short.indexOf(":")));
    const address = addressOf(iri);
    code.append(
      shown.slice(at, token.index),
      address === null ? short : make("a", { href: address, title: iri }, short),
    );
    at = token.index + token[0].length;
  }
  code.append(shown.slice(at), shown.length < turtle.length ? "…" : "");
  code.prepend(
    ...[...used].sort().map((prefix) => `@prefix ${prefix}: <${prefixes[prefix] ?? ""}> .\n`),
    used.size ? "\n" : "",
  );
  return make("pre", { tabindex: "0", role: "region", "aria-label": "Statements, as Turtle" }, code);
}
