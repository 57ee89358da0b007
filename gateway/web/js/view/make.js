/** A tag, a class and words in, an element out. */
import { icon } from "./icon.js";

export function make(tag, className = "", text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

/** Says what a control without words is for: to those who point at it, and to those who do not see it. */
export function name(control, label) {
  control.title = label;
  control.setAttribute("aria-label", label);
}

/** A button that is the drawing of that name. */
export function iconButton(drawing, label, onClick) {
  const button = make("button", "button quiet icon-only small");
  button.type = "button";
  name(button, label);
  button.append(icon(drawing));
  button.addEventListener("click", () => onClick(button));
  return button;
}
