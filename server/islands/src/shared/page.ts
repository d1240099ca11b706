/** What every island needs: finding what the server rendered, and speaking to the server. */

/** The element of a page that an island works on; null where this page has none. */
export function find<T extends Element = HTMLElement>(selector: string, within: ParentNode = document): T | null {
  return within.querySelector<T>(selector);
}

/** All elements that match, as an array. */
export function findAll<T extends Element = HTMLElement>(selector: string, within: ParentNode = document): T[] {
  return [...within.querySelectorAll<T>(selector)];
}

/** Make an element with attributes and children; texts become text, never markup. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** The token that goes with every request that changes something. */
export function csrfToken(): string {
  return find<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "";
}

/** An answer that is no success, in the server's words. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** Ask the server at one of our own addresses; an answer that is no success is thrown as `Refused`. */
export async function ask(address: string, options: RequestInit = {}): Promise<Response> {
  const headers = new Headers(options.headers);
  if (options.method !== undefined && options.method !== "GET") headers.set("X-CSRF-Token", csrfToken());
  const response = await fetch(address, { credentials: "same-origin", ...options, headers });
  if (!response.ok) throw new Refused(response.status, await problemOf(response));
  return response;
}

/** Ask for JSON. */
export async function askJson<T>(address: string, options: RequestInit = {}): Promise<T> {
  const headers = new Headers(options.headers);
  headers.set("Accept", "application/json");
  return (await (await ask(address, { ...options, headers })).json()) as T;
}

async function problemOf(response: Response): Promise<string> {
  const text = await response.text();
  try {
    const told = JSON.parse(text) as { detail?: string; title?: string };
    return [told.title, told.detail].filter((words) => words).join(": ") || text;
  } catch {
    return text.slice(0, 500) || `the server answered ${response.status}`;
  }
}

/** Call a function once nothing has happened for some milliseconds. */
export function debounced(pause: number, action: () => void): () => void {
  let timer: number | undefined;
  return () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(action, pause);
  };
}

/** Tell those who cannot see it that something changed. */
export function announce(text: string): void {
  const region = find("[data-announce]");
  if (region !== null) region.textContent = text;
}
