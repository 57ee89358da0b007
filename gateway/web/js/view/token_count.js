/** What would be sent in, its length in tokens out: beside the composer, a moment after it changes. */
import { language, phrase } from "../i18n/strings.js";

const SETTLED_MS = 400;

export class TokenCount {
  #place;
  #question;
  #count;
  #due = 0;
  #asking = new AbortController();

  /**
   * @param {{question: () => {messages: object[], model: string}, count}} asking what would be sent now, the draft
   *   included, and who counts it
   */
  constructor(place, { question, count }) {
    this.#place = place;
    this.#count = count;
    this.#question = question;
  }

  /** Something has changed. */
  refresh() {
    clearTimeout(this.#due);
    this.#due = setTimeout(() => this.#measure(), SETTLED_MS);
  }

  async #measure() {
    this.#asking.abort();
    this.#asking = new AbortController();
    const { signal } = this.#asking;
    const { messages, model } = this.#question();
    if (messages.length === 0) {
      this.#show("");
      return;
    }
    try {
      const { prompt_tokens: count, context_tokens: most } = await this.#count(messages, model, signal);
      const words = phrase(most > 0 ? "tokensOf" : "tokens", { count: number(count), most: number(most) });
      this.#show(words, most > 0 && count >= most);
    } catch {
      // A count that cannot be had is no reason to disturb; sending will tell what is wrong.
      if (!signal.aborted) this.#show("");
    }
  }

  #show(text, isTooMany = false) {
    this.#place.textContent = text;
    this.#place.classList.toggle("too-many", isTooMany);
  }
}

function number(value) {
  return value.toLocaleString(language);
}
