/** Keeping a query of one's own, for curators: a heading before the text, sent to `/queries/NAME`. */
import { announce, ask, find, make, Refused } from "../shared/page";

interface Heading {
  readonly title: string;
  readonly description: string;
  readonly parameters: readonly string[];
  readonly rest: string;
}

/** Wire the form that saves; `text` gives what stands in the editor. */
export function wireSaving(
  form: HTMLFormElement,
  opener: HTMLElement,
  text: () => string,
  saved: (name: string) => void,
): { opened(name: string): void } {
  const field = (name: string): HTMLInputElement => form.elements.namedItem(name) as HTMLInputElement;
  const problem = find("[data-save-problem]", form);
  const replace = find("[data-replace]", form);
  const remove = find("[data-delete]", form);
  let known = "";

  const tell = (words: string): void => {
    if (problem === null) return;
    problem.textContent = words;
    problem.hidden = words === "";
  };
  const offer = (there: boolean): void => {
    if (replace !== null) replace.hidden = !there;
    if (remove !== null) remove.hidden = !there;
  };
  const close = (): void => {
    form.hidden = true;
    opener.focus();
  };
  const send = async (over: boolean): Promise<void> => {
    const name = field("name").value;
    const heading = readHeading(text());
    const said = [field("title").value, field("description").value].map(
      (line) => `# ${line.trim().replace(/\s+/g, " ")}`,
    );
    const body = [...said, ...heading.parameters, heading.rest].join("\n");
    const headers: Record<string, string> = { "Content-Type": "application/sparql-query", Accept: "application/json" };
    if (!over) headers["If-None-Match"] = "*";
    try {
      await ask(`/queries/${encodeURIComponent(name)}`, { method: "PUT", headers, body });
      announce(`Saved as ${name}.`);
      known = name;
      close();
      saved(name);
    } catch (error) {
      const taken = error instanceof Refused && error.status === 412;
      offer(taken);
      tell(taken ? `There is a query called ${name} already.` : error instanceof Error ? error.message : String(error));
    }
  };

  opener.addEventListener("click", () => {
    const heading = readHeading(text());
    field("title").value = heading.title;
    field("description").value = heading.description;
    field("name").value = known || slug(heading.title);
    tell("");
    offer(known !== "");
    form.hidden = false;
    field("title").focus();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void send(false);
  });
  replace?.addEventListener("click", () => {
    if (form.reportValidity()) void send(true);
  });
  remove?.addEventListener("click", () => {
    const name = field("name").value;
    if (!window.confirm(`Delete the saved query ${name}?`)) return;
    void ask(`/queries/${encodeURIComponent(name)}`, { method: "DELETE" }).then(
      () => {
        announce(`Deleted ${name}.`);
        known = "";
        close();
        find(`[data-saved] a[data-name="${CSS.escape(name)}"]`)
          ?.closest("li")
          ?.remove();
      },
      (error: unknown) => tell(error instanceof Error ? error.message : String(error)),
    );
  });
  find("[data-cancel]", form)?.addEventListener("click", close);
  field("title").addEventListener("input", () => {
    if (known === "") field("name").value = slug(field("title").value);
  });
  return {
    opened: (name) => {
      known = name;
    },
  };
}

/** Put a saved query into the list of the page, where it is not there yet. */
export function listSaved(list: HTMLElement, name: string, title: string): void {
  if (find(`a[data-name="${CSS.escape(name)}"]`, list) !== null) return;
  const link = make(
    "a",
    { href: `/sparql?saved=${encodeURIComponent(name)}`, "data-name": name, "data-own": "" },
    title,
  );
  find("ul", list)?.append(make("li", {}, link, " ", make("span", { class: "quiet" }, "(added here)")));
}

/** Take a text apart as `kg.saved_queries` does: title, description and parameters in comments, then the query. */
export function readHeading(text: string): Heading {
  const lines = text.split("\n");
  const end = lines.findIndex((line) => !line.startsWith("#"));
  const heading = lines.slice(0, end < 0 ? lines.length : end).map((line) => line.replace(/^# ?/, ""));
  const parameters = heading.filter((line) => /^- \w+:/.test(line)).map((line) => `# ${line}`);
  const [title = "", ...prose] = heading.filter((line) => !/^- \w+:/.test(line) && line.trim() !== "");
  return { title, description: prose.join(" "), parameters, rest: lines.slice(heading.length).join("\n") };
}

function slug(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 64);
}
