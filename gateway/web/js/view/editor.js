/** A message's words in, a small form out that lets the user ask with other words. */
import { phrase } from "../i18n/strings.js";
import { make } from "./make.js";

/** @param {{onSubmit: (text: string) => void, onCancel: () => void}} wishes */
export function editor(text, { onSubmit, onCancel }) {
  const form = make("form", "editor");
  const field = make("textarea");
  field.value = text;
  field.rows = Math.min(8, text.split("\n").length + 1);
  field.setAttribute("aria-label", phrase("edit"));
  const cancel = make("button", "button quiet", phrase("cancel"));
  cancel.type = "button";
  cancel.addEventListener("click", onCancel);
  const ask = make("button", "button accent", phrase("askEdited"));
  form.append(field, cancel, ask);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (field.value.trim() !== "") onSubmit(field.value.trim());
  });
  form.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Escape") {
      event.preventDefault();
      onCancel();
    } else if (event.key === "Enter" && !event.shiftKey && event.target === field) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  return form;
}
