/** Copying what a field holds, such as a permanent address or a citation: the button beside it. */
import { announce, find, findAll } from "./shared/page";

for (const button of findAll<HTMLButtonElement>("button[data-copy]")) {
  const field = find<HTMLInputElement | HTMLTextAreaElement>(`#${CSS.escape(button.dataset["copy"] ?? "")}`);
  if (field === null) continue;
  button.hidden = false;
  button.addEventListener("click", () => {
    field.select();
    void copy(field.value).then((done) => announce(done ? "Copied." : "It is selected: copy it with Ctrl+C."));
  });
}

/** Copy a text; false where the browser does not let us, as on pages that did not come by HTTPS. */
async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
