/**
 * When pictures arrive in, how long to hold the first one back so that none is ever late out.
 *
 * A reply arrives in bursts, so its speed says little; what counts is the head start playing would have needed: the
 * most that any picture came after it was due. What the last replies needed is the best guess for the next one.
 */
const FIRST_HEAD_START_SECONDS = 0.4;
/** A reply that needed less than was guessed lowers the guess by this much at most. */
const TRUST = 0.5;
const MOST_HEAD_START_SECONDS = 4;

export class Pace {
  #expected = FIRST_HEAD_START_SECONDS;
  #observed = 0;
  #firstAt = null;
  #arrivedSeconds = 0;

  /** A new reply begins. */
  begin() {
    if (this.#firstAt !== null) {
      const needed = Math.max(this.#observed, this.#expected * TRUST);
      this.#expected = Math.min(needed, MOST_HEAD_START_SECONDS);
    }
    this.#observed = 0;
    this.#firstAt = null;
    this.#arrivedSeconds = 0;
  }

  /** Everything up to `seconds` of the timeline is here; `now` is in seconds of any steady clock. */
  arrived(seconds, now) {
    this.#firstAt ??= now;
    const late = now - this.#firstAt - this.#arrivedSeconds;
    if (this.#arrivedSeconds > 0) this.#observed = Math.max(this.#observed, late);
    this.#arrivedSeconds = seconds;
  }

  /** Seconds that playing should still be held back. */
  wait(now) {
    const headStart = Math.max(this.#expected, this.#observed);
    return this.#firstAt === null ? headStart : Math.max(0, this.#firstAt + headStart - now);
  }
}
