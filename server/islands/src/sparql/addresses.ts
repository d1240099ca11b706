/** Where names lead and how they are shortened; what `server.linked_data.local_address` does on the server. */

export type Prefixes = Readonly<Record<string, string>>;

const BASE = "https://w3id.org/whosays/";

/** Where a resource can be read about: here if it has a name of ours, else at its own address; null if it has none. */
export function addressOf(iri: string): string | null {
  if (iri.startsWith(BASE)) {
    const rest = iri.slice(BASE.length);
    if (/^(id|graph)\/./.test(rest) || /^change\/\d+$/.test(rest)) return "/" + encoded(rest);
    if (rest.startsWith("ontology#")) return "/ontology#" + encodeURIComponent(rest.slice("ontology#".length));
    if (rest === "ontology" || rest.startsWith("ontology/") || rest === "dataset") return "/" + encoded(rest);
  }
  return /^https?:\/\/[^/]/i.test(iri) ? iri : null;
}

/** A name as SPARQL has it: with a prefix where one of the known ones fits, else in angle brackets. */
export function shorten(iri: string, prefixes: Prefixes): string {
  let found = "";
  let best = "";
  for (const [prefix, namespace] of Object.entries(prefixes)) {
    if (namespace.length <= best.length || !iri.startsWith(namespace)) continue;
    const local = escapeLocal(iri.slice(namespace.length));
    if (local !== null) [best, found] = [namespace, `${prefix}:${local}`];
  }
  return found || `<${iri}>`;
}

/** The second half of a prefixed name; null where it cannot be written as one. Source: SPARQL 1.1, PN_LOCAL. */
export function escapeLocal(local: string): string | null {
  return /^[\p{L}\p{N}_](?:[\p{L}\p{N}_/.-]*[\p{L}\p{N}_-])?$/u.test(local) ? local.replaceAll("/", "\\/") : null;
}

function encoded(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}
