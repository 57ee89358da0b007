/** Text in, a button out that copies it and says so for a moment. */
import { phrase } from "../i18n/strings.js";
import { drawIcon } from "./icon.js";
import { iconButton, name } from "./make.js";

const SAID_FOR_MS = 1500;

/** @param {() => string} text what to copy when the button is pressed */
export function copyButton(text) {
  return iconButton("copy", phrase("copy"), async (button) => {
    await copy(text());
    say(button, "check", phrase("copied"));
    setTimeout(() => say(button, "copy", phrase("copy")), SAID_FOR_MS);
  });
}

/** Pages without TLS have no clipboard, and some frames may not use theirs: a selection is copied as by hand. */
async function copy(text) {
  const copied = await navigator.clipboard?.writeText(text).then(() => true, () => false);
  if (copied) return;
  const { activeElement } = document;
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "unseen";
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
  activeElement?.focus();
}

function say(button, drawing, label) {
  drawIcon(button.firstElementChild, drawing);
  name(button, label);
}
