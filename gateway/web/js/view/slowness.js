/** A reply that keeps its reader waiting in, an honest reason out: asked of the server, not guessed. */
import { phrase } from "../i18n/strings.js";

/** So long nobody wonders. */
const PATIENCE_MS = 6000;
const TROUBLES = { starting: "slowStarting", asleep: "slowStarting", down: "slowDown" };

export class Slowness {
  #place;
  #askStages;
  #known = {};
  #timer = 0;

  /** @param {() => Promise<object>} askStages what the server says of its stages */
  constructor(place, askStages) {
    this.#place = place;
    this.#askStages = askStages;
  }

  begin() {
    this.#known = {};
    this.moved();
  }

  /** The face got something to say: patience begins anew. */
  moved() {
    this.end();
    this.#wait();
  }

  /** @param {{text?: boolean, speech?: boolean, queue_position?: number}} known what there is of the reply */
  learn(known) {
    Object.assign(this.#known, known);
  }

  end() {
    clearTimeout(this.#timer);
    // An answer that is still on its way comes too late.
    this.#timer = 0;
    this.#place.textContent = "";
  }

  #wait() {
    this.#timer = setTimeout(() => this.#explain(), PATIENCE_MS);
  }

  async #explain() {
    const waitedFor = this.#timer;
    // A server that cannot be asked is no slow one: the progress bar says that the line has dropped.
    const stages = await this.#askStages().catch(() => null);
    if (waitedFor !== this.#timer) return;
    this.#place.textContent = stages === null ? "" : reason(this.#known, stages);
    this.#wait();
  }
}

function reason({ text, speech, queue_position: position }, stages) {
  const trouble = Object.values(stages).find((state) => state in TROUBLES);
  if (trouble) return phrase(TROUBLES[trouble]);
  if (position > 0) return phrase("slowQueue");
  if (speech) return phrase("slowVideo");
  return phrase(text ? "slowSpeech" : "slowText");
}
