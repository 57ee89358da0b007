/** Text in, a button out that copies it and says so for a moment. */
import { phrase } from "../i18n/strings.js";
import { drawIcon } from "./icon.js";
import { iconButton } from "./make.js";

const SAID_FOR_MS = 1500;

/** @param {() => string} text what to copy when the button is pressed */
export function copyButton(text) {
  return iconButton("copy", phrase("copy"), async (button) => {
    await navigator.clipboard.writeText(text());
    say(button, "check", phrase("copied"));
    setTimeout(() => say(button, "copy", phrase("copy")), SAID_FOR_MS);
  });
}

function say(button, drawing, label) {
  drawIcon(button.firstElementChild, drawing);
  button.title = label;
  button.setAttribute("aria-label", label);
}
