/** A conversation in; out comes one box that sends all of it along, or none, and shows when it is some. */
import { phrase } from "../i18n/strings.js";

export class HistoryBox {
  #box;
  #label;
  #row;
  #conversation;

  /** @param {{row, box, label}} parts the row, its check box, and the words beside it */
  constructor({ row, box, label }, conversation) {
    this.#row = row;
    this.#box = box;
    this.#label = label;
    this.#conversation = conversation;
    for (const type of ["added", "changed", "removed", "cleared"])
      conversation.addEventListener(type, () => this.#draw());
    box.addEventListener("change", () => this.#include(box.checked));
    this.#draw();
  }

  #include(included) {
    for (const message of this.#conversation.messages) this.#conversation.change(message, { included });
  }

  #draw() {
    const { worded: messages } = this.#conversation;
    const count = messages.filter(({ included }) => included).length;
    this.#row.hidden = messages.length === 0;
    this.#box.checked = count === messages.length;
    this.#box.indeterminate = count > 0 && count < messages.length;
    this.#label.textContent = phrase("includeAll", { count, all: messages.length });
  }
}
