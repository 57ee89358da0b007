/** Keys and clicks in; out come the words the user sends, and the wish to stop. */

export class Composer {
  #field;
  #send;
  #stop;
  #onSend;
  #busy = false;
  #speaking = false;

  constructor({ form, field, send, stop }, { onSend, onStop, onDraft }) {
    this.#field = field;
    this.#send = send;
    this.#stop = stop;
    this.#onSend = onSend;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    field.addEventListener("keydown", (event) => {
      // While an input method composes a Chinese word, Enter takes the word.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      this.#submit();
    });
    field.addEventListener("input", () => {
      this.#draw();
      onDraft();
    });
    stop.addEventListener("click", onStop);
    document.addEventListener("keydown", (event) => {
      const isTaken = event.isComposing || event.defaultPrevented || document.querySelector("dialog[open]");
      if (event.key === "Escape" && !isTaken) onStop();
    });
    this.#draw();
  }

  /** A reply in the making forbids the next one; a face that merely still speaks may be interrupted. */
  show({ busy, speaking }) {
    const hadFocus = document.activeElement === this.#stop;
    this.#busy = busy;
    this.#speaking = speaking;
    this.#draw();
    if (hadFocus && this.#stop.hidden) this.#field.focus();
  }

  /** What is written and not yet sent. */
  get draft() {
    return this.#field.value.trim();
  }

  focus() {
    this.#field.focus();
  }

  #submit() {
    const text = this.draft;
    if (text === "" || this.#busy) return;
    this.#field.value = "";
    this.#draw();
    this.#onSend(text);
  }

  #draw() {
    const empty = this.draft === "";
    const stoppable = this.#busy || (this.#speaking && empty);
    this.#stop.hidden = !stoppable;
    this.#send.hidden = stoppable;
    this.#send.disabled = empty;
    // Measured afresh each time, or it would never shrink; how far it may grow is the style sheet's to say.
    this.#field.style.height = "auto";
    this.#field.style.height = `${this.#field.scrollHeight}px`;
  }
}
