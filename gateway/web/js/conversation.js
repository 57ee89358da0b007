/**
 * What is said in, the history to send out; `added`, `changed`, `removed` and `cleared` tell views what to draw.
 *
 * A message: `{id, role: "user" | "assistant", text, status, problem?}`, status one of `writing`, `complete`,
 * `cancelled`, `failed`. Problems live beside the text, so they never reach the history.
 */
export class Conversation extends EventTarget {
  #messages = [];
  #nextId = 1;

  add(role, text, status = "complete") {
    const message = { id: this.#nextId++, role, text, status };
    this.#messages.push(message);
    this.#emit("added", message);
    return message;
  }

  change(message, changes) {
    Object.assign(message, changes);
    this.#emit("changed", message);
  }

  remove(message) {
    this.#messages = this.#messages.filter((other) => other !== message);
    this.#emit("removed", message);
  }

  clear() {
    this.#messages = [];
    this.#emit("cleared");
  }

  /** The messages a model is given: everything that was really said, a broken-off answer as far as it came. */
  history() {
    return this.#messages
      .filter(({ text }) => text.trim() !== "")
      .map(({ role, text }) => ({ role, content: text }));
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
