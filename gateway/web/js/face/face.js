/**
 * An avatar and the fragments of replies in; out comes one face that listens, thinks and speaks without a seam.
 *
 * Two videos lie on each other: the idle loop below, the speech above. Only the upper one fades, over a picture that
 * is already there, so nothing black ever shows. A reply begins in the loop's first pose and ends `duration` later in
 * the same loop, so the idle loop is taken up exactly there.
 * Emits `changed` when `state` does, `muffled` when the browser wants a tap before sound, `lost` when video fails.
 */
import { Pace } from "./pace.js";
import { Speech } from "./speech.js";

const STILL = window.matchMedia("(prefers-reduced-motion: reduce)");

export class Face extends EventTarget {
  #idle;
  #speechVideo;
  #speech = null;
  #pace = new Pace();
  #avatar = null;
  #state = "idle";
  #leaving = Promise.resolve();

  constructor({ idle, speech }) {
    super();
    this.#idle = idle;
    this.#speechVideo = speech;
    STILL.addEventListener("change", () => this.#rest());
  }

  /** `idle`, `thinking` or `speaking`. */
  get state() {
    return this.#state;
  }

  get speaking() {
    return this.#state === "speaking";
  }

  /** @param {{poster_url: string, idle_url: string, idle_seconds: number}} avatar */
  wear(avatar) {
    if (avatar.idle_url === this.#avatar?.idle_url) return;
    this.#avatar = avatar;
    this.#idle.poster = avatar.poster_url;
    this.#idle.src = avatar.idle_url;
    this.#rest();
  }

  think() {
    this.#become("thinking");
  }

  /** Where the speech stands, while there is one. */
  get spokenSeconds() {
    return this.#speech === null ? null : this.#speechVideo.currentTime;
  }

  /** A reply exists: its speech may come, and is shown from that second on. */
  prepare(reply, from = 0) {
    const speech = new Speech(this.#speechVideo, reply, this.#pace, from);
    speech.addEventListener("shown", () => this.#showSpeech());
    speech.addEventListener("ended", () => this.#leave(speech));
    speech.addEventListener("muffled", () => this.dispatchEvent(new Event("muffled")));
    speech.addEventListener("lost", ({ detail }) => {
      this.dispatchEvent(new CustomEvent("lost", { detail }));
      this.hush();
    });
    this.#speech = speech;
  }

  /** The next fragment of the reply; the first one waits until an earlier reply has left the stage. */
  async speak(fragment) {
    const speech = this.#speech;
    await this.#leaving;
    if (speech === this.#speech) speech?.add(fragment);
  }

  lasts(durationSeconds) {
    this.#speech?.lasts(durationSeconds);
  }

  estimate(etaSeconds) {
    this.#speech?.estimate(etaSeconds);
  }

  /** All of the reply has been announced. */
  async complete() {
    const speech = this.#speech;
    await this.#leaving;
    if (!speech || speech !== this.#speech) return;
    speech.complete();
    if (!speech.hasFragments) this.hush();
  }

  /** Back to listening, at once. */
  hush() {
    if (this.#speech) this.#leave(this.#speech);
    else this.#become("idle");
  }

  #showSpeech() {
    this.#speechVideo.classList.add("is-shown");
    this.#become("speaking");
    this.#afterCrossfade().then(() => this.speaking && this.#idle.pause());
  }

  #leave(speech) {
    if (speech !== this.#speech) return;
    this.#speech = null;
    speech.pause();
    this.#leaving = this.#crossToIdle(this.#speechVideo.currentTime).then(() => speech.release());
    this.#become("idle");
  }

  async #crossToIdle(seconds) {
    if (!this.#speechVideo.classList.contains("is-shown")) return;
    const loopSeconds = this.#avatar?.idle_seconds;
    if (loopSeconds > 0 && !STILL.matches) await seeked(this.#idle, seconds % loopSeconds);
    this.#rest();
    this.#speechVideo.classList.remove("is-shown");
    await this.#afterCrossfade();
  }

  #rest() {
    if (STILL.matches) this.#idle.pause();
    // A loop that may not play leaves its poster, which is a face at rest as well.
    else this.#idle.play().catch(() => {});
  }

  #afterCrossfade() {
    const fades = this.#speechVideo.getAnimations().map((animation) => animation.finished);
    return Promise.allSettled(fades);
  }

  #become(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.dispatchEvent(new Event("changed"));
  }
}

/** The picture at that time is there, or cannot be had: either way nothing waits longer than a blink. */
function seeked(video, seconds) {
  if (video.readyState === HTMLMediaElement.HAVE_NOTHING) return Promise.resolve();
  return new Promise((resolve) => {
    video.addEventListener("seeked", resolve, { once: true });
    setTimeout(resolve, 250);
    video.currentTime = seconds;
  });
}
