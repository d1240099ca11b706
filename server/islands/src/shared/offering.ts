/** Offering names while one types, in the browser's own list beneath a field. */
import { askJson, debounced, make } from "./page";

interface Suggestion {
  readonly iri: string;
  readonly label: string;
  readonly matched: string;
}

let made = 0;

/** Let a field offer names of the kinds that its `data-suggest` lists; what is chosen is a name, which the server looks up. */
export function offerNames(field: HTMLInputElement): void {
  const list = make("datalist", { id: `offered-${(made += 1)}` });
  field.after(list);
  field.setAttribute("list", list.id);
  const offer = debounced(150, () => {
    const words = field.value.trim();
    if (words === "") return;
    const kinds = (field.dataset["suggest"] ?? "").split(" ").map((kind) => `kind=${encodeURIComponent(kind)}`);
    askJson<readonly Suggestion[]>(`/suggest?${kinds.join("&")}&q=${encodeURIComponent(words)}`)
      .then((found) => {
        list.replaceChildren(
          ...found.map((one) => {
            const option = make("option", { value: one.matched === "" ? one.label : one.matched });
            if (one.matched !== "" && one.matched !== one.label) option.label = `${one.matched} (${one.label})`;
            return option;
          }),
        );
      })
      .catch(() => list.replaceChildren()); // without offers one can still type
  });
  field.addEventListener("input", (event) => {
    if (event instanceof InputEvent) offer();
  });
}
