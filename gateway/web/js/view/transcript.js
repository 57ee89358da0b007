/** A conversation in, the list of its messages out, scrolled to the newest unless the reader has scrolled away. */
import { suggestions } from "../i18n/strings.js";
import { make } from "./make.js";
import { MessageView } from "./message.js";

/** Closer to the end than this counts as reading along. */
const READING_ALONG_PX = 80;

export class Transcript {
  #scroller;
  #list;
  #welcome;
  #views = new Map();
  #wishes;
  #readsAlong = true;

  /** @param {{onAskAgain, onEdit, onInclude, onReplay}} wishes called with a message when the user wants that of it */
  constructor({ scroller, list, welcome }, conversation, wishes) {
    this.#scroller = scroller;
    this.#list = list;
    this.#welcome = welcome;
    this.#wishes = wishes;
    scroller.addEventListener("scroll", () => (this.#readsAlong = this.#distanceToEnd() < READING_ALONG_PX));
    // A keyboard that opens, or a row that appears below, must not cover the newest words.
    new ResizeObserver(() => this.#follow()).observe(scroller);
    conversation.addEventListener("added", ({ detail }) => this.#add(detail));
    conversation.addEventListener("changed", ({ detail }) => this.#change(detail));
    conversation.addEventListener("removed", ({ detail }) => this.#remove(detail));
    conversation.addEventListener("cleared", () => this.#clear());
  }

  #add(message) {
    const view = new MessageView(message, { ...this.#wishes, onGrowth: () => this.#follow() });
    this.#views.set(message.id, view);
    this.#list.append(view.element);
    this.#welcome.hidden = true;
    this.#readsAlong = true;
    this.#follow();
  }

  /** What a message ends with, such as what went wrong, comes into view as its words do. */
  #change(message) {
    this.#views.get(message.id)?.show(message);
    this.#follow();
  }

  #remove(message) {
    this.#views.get(message.id)?.element.remove();
    this.#views.delete(message.id);
    this.#welcome.hidden = this.#views.size > 0;
  }

  #clear() {
    this.#views.clear();
    this.#list.replaceChildren();
    this.#scroller.scrollTop = 0;
    this.#welcome.hidden = false;
  }

  #distanceToEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight;
  }

  #follow() {
    if (this.#readsAlong && this.#views.size > 0) this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }
}

/** First things to say, as buttons. */
export function fillSuggestions(place, onChosen) {
  for (const text of suggestions) {
    const button = make("button", "button", text);
    button.type = "button";
    button.addEventListener("click", () => onChosen(text));
    place.append(button);
  }
}
