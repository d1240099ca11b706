/**
 * The form for an assertion: what is wrong is told as one types, fields suggest what there is, and the keyboard does.
 *
 * The server makes the form, and makes it anew where it changes its shape. Beside a text it opens when a stretch of it
 * is selected: `whosays:selected` with `{document, start, end}`, in `<aside data-coding>`. What was typed is kept for the
 * passage as long as the tab is open. When it is proposed, `whosays:proposed` tells.
 */
import { type Suggestion, makeCombobox } from "./shared/combobox";
import { announce, csrfToken, debounced, find, findAll, make } from "./shared/page";

interface Remark {
  readonly control: string;
  readonly severity: "Violation" | "Warning" | "Info";
  readonly problem: string;
  readonly mend: string;
  readonly found: string;
  readonly missing: boolean;
  readonly line: number | null;
}

interface Told {
  readonly conforms: boolean;
  readonly remarks: readonly Remark[];
  readonly similar: readonly { readonly name: string; readonly label: string }[];
  readonly record: string;
}

interface Proposed {
  readonly proposal: number;
  readonly address: string;
}

interface Stretch {
  readonly document: string;
  readonly start: number;
  readonly end: number;
}

/** Where the form stands, what was touched in it, and whether all that is missing is to be told. */
interface State {
  readonly root: HTMLElement;
  readonly panel: HTMLElement | null;
  readonly touched: Set<string>;
  pressed: boolean;
  reshaping: Promise<void>;
}

const PAUSE = 350;
const OWN = 8;
let asking: AbortController | undefined;

// --- speaking to the server

function pairs(form: HTMLFormElement, intent: string): URLSearchParams {
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === "string" && name !== "intent") body.append(name, value);
  body.set("intent", intent);
  return body;
}

async function send(address: string, accept: string, body: URLSearchParams | null, signal?: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { Accept: accept, "X-Fragment": "1" };
  if (body !== null) headers["X-CSRF-Token"] = csrfToken();
  const options: RequestInit = { method: body === null ? "GET" : "POST", credentials: "same-origin", headers, body };
  if (signal !== undefined) options.signal = signal;
  return fetch(address, options);
}

function draftKey(form: HTMLFormElement): string {
  return `coding ${new URL(form.action).pathname}${new URL(form.action).search}`;
}

function keepDraft(form: HTMLFormElement): void {
  const body = pairs(form, "form");
  body.delete("csrf");
  try {
    sessionStorage.setItem(draftKey(form), body.toString());
  } catch {
    // A browser that keeps nothing loses nothing that is on the page.
  }
}

function dropDraft(form: HTMLFormElement): void {
  sessionStorage.removeItem(draftKey(form));
}

// --- what the server has to say

function words(remark: Remark): string {
  const line = remark.line === null ? "" : `Line ${remark.line}: `;
  const found = remark.found === "" ? "" : ` (found: ${remark.found})`;
  return `${line}${remark.severity === "Violation" ? "" : "Perhaps: "}${remark.problem}${found}${remark.mend === "" ? "" : `: ${remark.mend}`}`;
}

function listFor(form: HTMLFormElement, control: string): HTMLElement | null {
  const held = find(`[data-control="${CSS.escape(control)}"] [data-remarks]`, form);
  if (held !== null) return held;
  const place = control.split(".")[0] ?? "";
  if (place === "content") return find("#code-content-use-remarks", form);
  return find(`#code-${CSS.escape(place)}-remarks`, form) ?? find("#code-remarks", form);
}

function show(state: State, told: Told): void {
  const form = find<HTMLFormElement>("form[data-code]", state.root);
  if (form === null) return;
  for (const list of findAll("[data-remarks]", form)) list.replaceChildren();
  for (const field of findAll('[aria-invalid="true"]', form)) field.removeAttribute("aria-invalid");
  let held = 0;
  for (const remark of told.remarks) {
    const list = listFor(form, remark.control);
    // That something is needed is to be seen; it is told once the coder has passed it by.
    if (remark.missing && !state.pressed && !state.touched.has(remark.control) && list?.closest("[data-needed]")) {
      held += 1;
      continue;
    }
    list?.append(make("li", { class: remark.severity === "Violation" ? "" : "warning" }, make("bdi", {}, words(remark))));
    if (remark.severity !== "Violation") continue;
    const around = list?.closest("[data-control]") ?? null;
    for (const field of around === null ? [] : findAll("input:not(.language), select, textarea", around)) {
      if (field.closest("[data-control]") === around) field.setAttribute("aria-invalid", "true");
    }
    for (let fold = list?.closest("details"); fold; fold = fold.parentElement?.closest("details")) fold.open = true;
  }
  const wrong = told.remarks.filter((remark) => remark.severity === "Violation").length;
  const shown = wrong - held;
  const said = [shown > 0 ? `${shown} ${shown === 1 ? "thing is" : "things are"} wrong or missing` : "", held > 0 ? `${held} still to be filled in` : ""].filter((text) => text !== "");
  const summary = wrong === 0 ? "Nothing is wrong with it." : `${said.join("; ")}.`;
  const place = find("[data-summary]", form);
  if (place !== null && place.textContent.trim() !== summary) {
    place.replaceChildren(make("p", { class: wrong === 0 ? "good" : shown > 0 ? "problem" : "quiet" }, summary));
  }
  showSimilar(form, told);
  const record = find<HTMLDetailsElement>("[data-record]", form);
  if (record !== null) {
    record.hidden = told.record === "";
    find("code", record)?.replaceChildren(told.record);
  }
}

function showSimilar(form: HTMLFormElement, told: Told): void {
  const region = find("[data-similar]", form);
  if (region === null) return;
  const before = findAll("button", region).map((button) => button.getAttribute("value")).join();
  if (before === told.similar.map((one) => `take:${one.name}`).join()) return;
  find("ul", region)?.replaceChildren(
    ...told.similar.map((one) => make("li", {}, make("bdi", {}, one.label), " ", make("button", { name: "intent", value: `take:${one.name}`, class: "plain small" }, "Take it"))),
  );
  if (region.hidden && told.similar.length > 0) announce(`${told.similar.length} propositions are worded nearly the same.`);
  region.hidden = told.similar.length === 0;
}

function tellTrouble(state: State, text: string): void {
  const place = find("[data-summary]", state.root) ?? state.root;
  place.replaceChildren(make("p", { class: "problem" }, text));
}

// --- asking

/** Ask what is wrong; the newest asking counts. */
async function check(state: State): Promise<Told | null> {
  const form = find<HTMLFormElement>("form[data-code]", state.root);
  if (form === null) return null;
  asking?.abort();
  asking = new AbortController();
  const { signal } = asking;
  try {
    const response = await send(form.action, "application/json", pairs(form, "check"), signal);
    const told = (await response.json()) as Told;
    if (signal.aborted || told.remarks === undefined) return null;
    show(state, told);
    return told;
  } catch {
    if (!signal.aborted) tellTrouble(state, "The server could not be asked. What you have typed is still here.");
    return null;
  }
}

async function propose(state: State): Promise<void> {
  const form = find<HTMLFormElement>("form[data-code]", state.root);
  const button = form === null ? null : find<HTMLButtonElement>("[data-propose]", form);
  if (form === null || button === null || button.disabled) return;
  asking?.abort();
  button.disabled = true;
  state.pressed = true;
  try {
    const response = await send(form.action, "application/json", pairs(form, "propose"));
    const told = (await response.json()) as Told | Proposed;
    if ("proposal" in told) {
      dropDraft(form);
      finish(state, told);
    } else {
      show(state, told);
      goToTrouble(state);
    }
  } catch {
    tellTrouble(state, "The server could not be asked. What you have typed is still here; try again.");
  } finally {
    button.disabled = false;
  }
}

function finish(state: State, proposed: Proposed): void {
  if (state.panel === null) {
    window.location.assign(`${proposed.address}&done=1`);
    return;
  }
  const text = `Proposal ${proposed.proposal} waits for a curator.`;
  const link = make("a", { href: proposed.address }, "Look at it");
  state.panel.replaceChildren(make("p", { class: "good" }, `${text} `, link, "."));
  link.focus();
  announce(text);
  document.dispatchEvent(new CustomEvent("whosays:proposed", { detail: { proposal: proposed.proposal, address: proposed.address } }));
}

function goToTrouble(state: State): void {
  const first = findAll('[aria-invalid="true"]', state.root).find((field) => field.checkVisibility());
  (first ?? find("[data-summary]", state.root))?.focus();
}

/** Have the form made anew in another shape, with all that is written in it; one after the other, so that none is lost. */
function reshape(state: State, intent: string, body?: URLSearchParams): Promise<void> {
  state.reshaping = state.reshaping.then(() => reshapeNow(state, intent, body));
  return state.reshaping;
}

async function reshapeNow(state: State, intent: string, body?: URLSearchParams): Promise<void> {
  const form = find<HTMLFormElement>("form[data-code]", state.root);
  if (form === null) return;
  try {
    let sent = body ?? pairs(form, intent);
    let fresh = await reshaped(form, sent);
    while (body === undefined && pairs(form, intent).toString() !== sent.toString()) {
      sent = pairs(form, intent); // somebody went on writing meanwhile
      fresh = await reshaped(form, sent);
    }
    const focused = document.activeElement;
    const name = focused !== null && form.contains(focused) ? focused.getAttribute("name") : null;
    const at = name === null ? 0 : findAll(`[name="${CSS.escape(name)}"]`, form).indexOf(focused as HTMLElement);
    state.root.replaceChildren(...fresh.childNodes);
    equip(state);
    const wanted = find("[data-focus]", state.root);
    const same = name === null || name === "intent" ? null : (findAll(`[name="${CSS.escape(name)}"]`, state.root)[at] ?? null);
    const target = wanted === null ? same : find('input:not([type="hidden"]), select, textarea', wanted);
    target?.focus();
    void check(state);
  } catch {
    tellTrouble(state, "The server could not be asked. What you have typed is still here.");
  }
}

async function reshaped(form: HTMLFormElement, sent: URLSearchParams): Promise<HTMLElement> {
  const response = await send(form.action, "text/html", sent);
  const made = new DOMParser().parseFromString(await response.text(), "text/html");
  const fresh = find("[data-coding-form]", made);
  if (fresh === null) throw new Error("no form came back");
  return fresh;
}

// --- the form in the page

function ownThings(form: HTMLFormElement, classes: readonly string[], typed: string): Suggestion[] {
  const sought = typed.toLocaleLowerCase();
  const found: Suggestion[] = [];
  for (const thing of findAll("[data-is]", form)) {
    const label = findAll<HTMLInputElement>('input:not([type="hidden"]), textarea', thing).find((field) => /\.(prefLabel|gloss)$/.test(field.name))?.value.trim() ?? "";
    const place = thing.id.replace(/^code-/, "").replace("-", " ");
    const kinds = (thing.dataset["is"] ?? "").split(" ");
    const fits = classes.length === 0 || classes.some((name) => kinds.includes(name));
    if (fits && (label || place).toLocaleLowerCase().includes(sought)) found.push({ value: label || place, label: label || place, aside: "described in this form" });
  }
  if (sought === "" && classes.includes("Agent")) {
    for (const option of findAll<HTMLOptionElement>("#code-agents option", form).slice(0, OWN)) {
      found.push({ value: option.value, label: option.value.replace(/ \[[^[\]]*\]$/, ""), aside: "holds something here" });
    }
  }
  return found;
}

function addValue(form: HTMLFormElement, control: string): void {
  const around = find(`[data-control="${CSS.escape(control)}"]`, form);
  const last = around === null ? undefined : findAll(":scope > [data-value]", around).at(-1);
  if (around === null || last === undefined) return;
  const number = findAll(":scope > [data-value]", around).length + 1;
  const copy = last.cloneNode(true) as HTMLElement;
  for (const list of findAll(".suggestions", copy)) list.remove();
  for (const field of findAll<HTMLInputElement>("input, select, textarea", copy)) {
    if (field.id !== "") field.id = `${field.id.replace(/-\d+$/, "")}-${number}`;
    if (!field.classList.contains("language")) {
      field.value = "";
      const label = find("label", around)?.firstChild?.textContent?.trim() ?? control;
      field.setAttribute("aria-label", `${label}, value ${number}`);
    }
  }
  last.after(copy);
  equipFields(form, copy);
  find<HTMLElement>("input, select, textarea", copy)?.focus();
}

function equipFields(form: HTMLFormElement, within: ParentNode): void {
  const name = find("[data-coding-form]")?.dataset["document"] ?? "";
  for (const field of findAll<HTMLInputElement>("input[data-suggest]", within)) {
    const classes = (field.dataset["suggest"] ?? "").split(" ").filter((text) => text !== "");
    const query = classes.map((text) => `&class=${encodeURIComponent(text)}`).join("");
    makeCombobox(field, {
      address: (typed) => (typed === "" ? "" : `/suggest?q=${encodeURIComponent(typed)}&document=${encodeURIComponent(name)}${query}`),
      own: (typed) => ownThings(form, classes, typed),
    });
  }
}

function equip(state: State): void {
  const form = find<HTMLFormElement>("form[data-code]", state.root);
  if (form === null) return;
  for (const element of findAll(".scripted", form)) element.hidden = false;
  for (const element of findAll("[data-without-script]", form)) element.hidden = true;
  equipFields(form, form);
  const checkSoon = debounced(PAUSE, () => void check(state));
  form.addEventListener("input", (event) => {
    const control = (event.target as Element).closest<HTMLElement>("[data-control]")?.dataset["control"];
    if (control === "content.use") {
      const fresh = find("[data-new-content]", form);
      if (fresh !== null) fresh.hidden = (event.target as HTMLInputElement).value.trim() !== "";
    }
    keepDraft(form);
    checkSoon();
  });
  form.addEventListener("focusout", (event) => {
    const control = (event.target as Element).closest<HTMLElement>("[data-control]")?.dataset["control"];
    if (control !== undefined) state.touched.add(control);
  });
  form.addEventListener("change", (event) => {
    if ((event.target as Element).matches("[data-reshape]")) void reshape(state, "form");
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const intent = (event.submitter as HTMLButtonElement | null)?.value ?? "check";
    if (intent === "propose") void propose(state);
    else if (intent === "check") void checkAll(state);
    else if (intent.startsWith("more:")) addValue(form, intent.slice(5));
    else void reshape(state, intent);
  });
  find("[data-keys-button]", form)?.addEventListener("click", () => toggleKeys(form));
}

async function checkAll(state: State): Promise<void> {
  state.pressed = true;
  const told = await check(state);
  if (told !== null && !told.conforms) goToTrouble(state);
}

function toggleKeys(form: HTMLFormElement): void {
  const keys = find("#code-keys", form);
  if (keys === null) return;
  keys.hidden = !keys.hidden;
  find("[data-keys-button]", form)?.setAttribute("aria-expanded", String(!keys.hidden));
  if (!keys.hidden) keys.focus();
}

function listen(state: State): void {
  const press = (selector: string): void => find<HTMLButtonElement>(selector, state.root)?.click();
  const keys: Readonly<Record<string, () => void>> = {
    KeyV: () => press('[data-key="v"]'),
    KeyN: () => press('[data-key="n"]'),
    KeyK: () => find("#code-content-type", state.root)?.focus(),
  };
  const within = (event: KeyboardEvent): boolean => state.panel === null || state.root.contains(event.target as Node);
  const onKey = (event: KeyboardEvent): void => {
    if (!state.root.isConnected) {
      document.removeEventListener("keydown", onKey);
      return;
    }
    const form = find<HTMLFormElement>("form[data-code]", state.root);
    if (form === null || event.defaultPrevented || !within(event)) return;
    const writes = (event.target as Element).closest("input, textarea, select") !== null;
    const shortcut = event.altKey && !event.ctrlKey && !event.metaKey ? keys[event.code] : undefined;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      void (event.shiftKey ? checkAll(state) : propose(state));
    } else if (shortcut !== undefined) {
      event.preventDefault();
      shortcut();
    } else if (event.key === "?" && !writes) {
      event.preventDefault();
      toggleKeys(form);
    } else if (event.key === "Escape" && state.panel !== null) {
      event.preventDefault();
      shut(state.panel);
    }
  };
  document.addEventListener("keydown", onKey);
}

function start(root: HTMLElement, panel: HTMLElement | null): void {
  const state: State = { root, panel, touched: new Set(), pressed: find("[data-remarks] li", root) !== null, reshaping: Promise.resolve() };
  equip(state);
  listen(state);
  const form = find<HTMLFormElement>("form[data-code]", root);
  const draft = form === null ? null : sessionStorage.getItem(draftKey(form));
  if (draft !== null && !state.pressed) void reshape(state, "form", new URLSearchParams(draft)).then(() => offerAnew(state));
}

/** Say that what was typed before is back, and let it be thrown away. */
function offerAnew(state: State): void {
  const form = find<HTMLFormElement>("form[data-code]", state.root);
  if (form === null) return;
  const anew = make("button", { type: "button", class: "plain small" }, "Begin anew");
  anew.addEventListener("click", () => {
    dropDraft(form);
    if (state.panel === null) window.location.reload();
    else void load(state.panel, form.action);
  });
  form.before(make("p", { class: "quiet" }, "Taken up where you left off. ", anew));
}

// --- beside a text

let opener: Element | null = null;

function shut(panel: HTMLElement): void {
  panel.replaceChildren();
  panel.hidden = true;
  if (opener instanceof HTMLElement) opener.focus();
  document.dispatchEvent(new CustomEvent("whosays:closed"));
}

async function load(panel: HTMLElement, address: string): Promise<void> {
  panel.hidden = false;
  panel.replaceChildren(make("p", { class: "quiet" }, "…"));
  try {
    const response = await send(address, "text/html", null);
    const made = new DOMParser().parseFromString(await response.text(), "text/html");
    const root = find("[data-coding-form]", made);
    if (!response.ok || root === null) throw new Error("no form came");
    const styles = findAll<HTMLLinkElement>('link[rel="stylesheet"]', made).filter((link) => find(`link[href="${link.getAttribute("href") ?? ""}"]`) === null);
    document.head.append(...styles);
    const close = make("button", { type: "button", class: "plain closing" }, "Close");
    close.addEventListener("click", () => shut(panel));
    panel.replaceChildren(close, root);
    start(root, panel);
    announce("The form for this passage is open.");
    (find('form input:not([type="hidden"])', root) ?? find("a.button", root) ?? close).focus();
  } catch {
    panel.replaceChildren(make("p", { class: "problem" }, "The form could not be fetched; try again."));
  }
}

document.addEventListener("whosays:selected", (event) => {
  const panel = find("aside[data-coding]");
  const stretch = (event as CustomEvent<Stretch>).detail;
  if (panel === null) return;
  opener = document.activeElement;
  void load(panel, `/code/${encodeURIComponent(stretch.document)}?start=${stretch.start}&end=${stretch.end}`);
});

const own = find("main [data-coding-form]");
if (own !== null) start(own, null);
