/** Estimates in, a slim bar with its stage in words and the seconds left out; it never moves back. */
import { phrase } from "../i18n/strings.js";

const STAGES = { text: "stageText", speech: "stageSpeech", video: "stageVideo" };
const TICK_MS = 250;
/** The last hundredth belongs to the moment when it is done. */
const MOST_BEFORE_DONE = 0.99;

export class Progress {
  #parts;
  #fraction = 0;
  #words = "";
  #endsAt = null;
  #connected = true;
  #timer = 0;

  /** @param {{box, track, bar, stage, seconds}} parts */
  constructor(parts) {
    this.#parts = parts;
  }

  begin() {
    this.#fraction = 0;
    this.#endsAt = null;
    this.#connected = true;
    this.#words = phrase("stageText");
    this.#parts.box.hidden = false;
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#draw(), TICK_MS);
    this.#draw();
  }

  show({ stage, fraction = 0, eta_seconds: eta, queue_position: position }) {
    this.#fraction = Math.min(MOST_BEFORE_DONE, Math.max(this.#fraction, fraction));
    this.#words = position > 0 ? phrase("stageQueue", { count: position }) : phrase(STAGES[stage] ?? "stageText");
    this.#endsAt = Number.isFinite(eta) ? performance.now() + eta * 1000 : null;
    this.#draw();
  }

  line(connected) {
    this.#connected = connected;
    this.#draw();
  }

  end() {
    clearInterval(this.#timer);
    this.#parts.box.hidden = true;
  }

  #draw() {
    const { track, bar, stage, seconds } = this.#parts;
    const left = this.#endsAt === null ? null : Math.max(1, Math.ceil((this.#endsAt - performance.now()) / 1000));
    const words = this.#connected ? this.#words : phrase("stageReconnecting");
    bar.style.transform = `scaleX(${this.#fraction})`;
    stage.textContent = words;
    seconds.textContent = left === null || !this.#connected ? "" : phrase("secondsLeft", { seconds: left });
    track.setAttribute("aria-valuenow", Math.round(this.#fraction * 100));
    track.setAttribute("aria-valuetext", `${words} ${seconds.textContent}`.trim());
  }
}
