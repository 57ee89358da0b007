/** Text that grows in bursts in, the same text at the pace of a swift typist out. */
const SLOWEST_PER_SECOND = 45;
/** However much is waiting, it is out within about this time. */
const CATCH_UP_SECONDS = 0.4;
const STILL = window.matchMedia("(prefers-reduced-motion: reduce)");

export class Typewriter {
  #write;
  #text = "";
  #shown = 0;
  #frame = 0;
  #before = 0;

  /** @param {(text: string) => void} write draws the text typed so far */
  constructor(write) {
    this.#write = write;
  }

  /** The whole text so far; what was typed of an earlier one stays typed. */
  set text(text) {
    this.#text = text;
    // A hidden tab gets no animation frames.
    if (STILL.matches || document.hidden) this.finish();
    else if (!this.#frame) this.#start();
  }

  /** Everything at once. */
  finish() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#shown = this.#text.length;
    this.#write(this.#text);
  }

  #start() {
    this.#before = performance.now();
    this.#frame = requestAnimationFrame((now) => this.#step(now));
  }

  #step(now) {
    const seconds = Math.max(0, now - this.#before) / 1000;
    const pace = Math.max(SLOWEST_PER_SECOND, (this.#text.length - this.#shown) / CATCH_UP_SECONDS);
    this.#before = now;
    this.#shown = Math.min(this.#text.length, this.#shown + pace * seconds);
    this.#write(wholeCharacters(this.#text, Math.floor(this.#shown)));
    this.#frame = 0;
    if (this.#shown < this.#text.length) this.#frame = requestAnimationFrame((next) => this.#step(next));
  }
}

/** The first characters, never half of one that UTF-16 writes as two. */
function wholeCharacters(text, count) {
  const last = text.charCodeAt(count - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? count - 1 : count);
}
