/** A tag, a class and words in, an element out. */
import { icon } from "./icon.js";

export function make(tag, className = "", text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

/** A button that is a drawing, with its name for those who do not see it. */
export function iconButton(name, label, onClick) {
  const button = make("button", "button quiet icon-only small");
  button.type = "button";
  button.title = label;
  button.setAttribute("aria-label", label);
  button.append(icon(name));
  button.addEventListener("click", () => onClick(button));
  return button;
}
