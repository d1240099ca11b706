/** The queue of proposals by keyboard: j and k go from card to card, x ticks, a accepts, r rejects, e edits. */
import { announce, find, findAll } from "./shared/page";

const form = find<HTMLFormElement>("[data-review]");
const cards = findAll("[data-card]");

function current(): HTMLElement | undefined {
  const focused = document.activeElement?.closest<HTMLElement>("[data-card]");
  return focused ?? undefined;
}

function go(step: number): void {
  const here = current();
  const next = here === undefined ? 0 : cards.indexOf(here) + step;
  const card = cards[Math.max(0, Math.min(cards.length - 1, next))];
  card?.focus({ preventScroll: true });
  card?.scrollIntoView({ block: "start" });
}

function tick(card: HTMLElement): void {
  const box = find<HTMLInputElement>('input[name="chosen"]', card);
  if (box === null) return;
  box.checked = !box.checked;
  announce(`${box.getAttribute("aria-label") ?? ""} ${box.checked ? "ticked" : "no longer ticked"}`);
}

const KEYS: Readonly<Record<string, (card: HTMLElement) => void>> = {
  x: tick,
  a: (card) => find<HTMLButtonElement>("[data-accept]", card)?.click(),
  r: (card) => find<HTMLInputElement>("[data-reason]", card)?.focus(),
  e: (card) => find<HTMLAnchorElement>("[data-edit]", card)?.click(),
};

if (form !== null) {
  for (const element of findAll(".scripted", form)) element.hidden = false;
  find<HTMLInputElement>("[data-all]", form)?.addEventListener("change", (event) => {
    for (const box of findAll<HTMLInputElement>('input[name="chosen"]', form)) box.checked = (event.target as HTMLInputElement).checked;
  });
  for (const field of findAll<HTMLInputElement>("[data-reason]", form)) {
    // Enter in a card's reason rejects that card; the browser would press the first button of the form, which accepts.
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      if (field.value.trim() === "") announce("A reason is needed.");
      else find<HTMLButtonElement>("[data-reject]", field.closest("[data-card]") ?? form)?.click();
    });
  }
  find<HTMLInputElement>("#reason", form)?.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    find<HTMLButtonElement>('button[value="reject"]', form)?.click();
  });
  document.addEventListener("keydown", (event) => {
    const target = event.target as HTMLElement;
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input:not([type=checkbox]), textarea, select") !== null) {
      if (event.key === "Escape") target.closest<HTMLElement>("[data-card]")?.focus();
      return;
    }
    if (event.key === "j" || event.key === "k") {
      event.preventDefault();
      go(event.key === "j" ? 1 : -1);
      return;
    }
    const card = current();
    const act = KEYS[event.key];
    if (card !== undefined && act !== undefined) {
      event.preventDefault();
      act(card);
    }
  });
}
