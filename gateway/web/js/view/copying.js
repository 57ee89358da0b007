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

/** Pages without TLS that are not on this machine have no clipboard; there a selection is copied as by hand. */
async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
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
