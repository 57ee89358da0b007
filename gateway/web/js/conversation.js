/**
 * What is said in, the history to send out; `added`, `changed`, `removed` and `cleared` tell views what to draw.
 *
 * A message: `{id, role: "user" | "assistant", text, status, included, finish_reason?, problem?, reply?}`, status one
 * of `writing`, `complete`, `cancelled`, `failed`. `included` says whether it is sent along as history; `finish_reason`,
 * why the text ends where it does. `reply` is what is kept of the server's reply: `{id, video_url, pictured, gone}`.
 * Problems live beside the text, so they never reach the history.
 */
export class Conversation extends EventTarget {
  #messages = [];
  #nextId = 1;

  get messages() {
    return [...this.#messages];
  }

  /** Those with words in them: an answer that failed at once has none. */
  get worded() {
    return this.#messages.filter(({ text }) => text.trim() !== "");
  }

  add(role, text, status = "complete") {
    return this.#append({ id: this.#nextId, role, text, status, included: true });
  }

  /** Puts back what an earlier visit left. */
  restore(messages) {
    for (const message of messages) this.#append(message);
  }

  change(message, changes) {
    Object.assign(message, changes);
    this.#emit("changed", message);
  }

  /** Takes a message back, and everything that was said after it. */
  rewind(message) {
    const place = this.#messages.indexOf(message);
    if (place < 0) return;
    for (const taken of this.#messages.splice(place)) this.#emit("removed", taken);
  }

  clear() {
    this.#messages = [];
    this.#emit("cleared");
  }

  /** The messages a model is given: everything that was really said, a broken-off answer as far as it came. */
  history() {
    return this.worded.filter(({ included }) => included).map(({ role, text }) => ({ role, content: text }));
  }

  #append(message) {
    this.#nextId = Math.max(this.#nextId, message.id) + 1;
    this.#messages.push(message);
    this.#emit("added", message);
    return message;
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
