/**
 * The fragments of one reply in, its speech on the `<video>` out.
 *
 * Emits `shown` (first picture is on the glass), `muffled` (the browser refused sound), `ended`, and `lost` when a
 * fragment cannot be had or played.
 */
import { FragmentSource } from "./fragment_source.js";
import { PlaylistSource } from "./playlist_source.js";

/** Below this the next picture may come too late whatever the estimates say. */
const CUSHION_SECONDS = 0.2;
const CUSHION_AFTER_STALL_SECONDS = 1;
/** The estimate of the end includes work after the last picture. */
const ETA_SLACK_SECONDS = 0.5;

export class Speech extends EventTarget {
  #video;
  #reply;
  #from;
  #source = null;
  #listening = new AbortController();
  #pace;
  #durationSeconds = null;
  #eta = null;
  #timer = 0;
  #complete = false;
  #stalled = false;
  #playing = false;
  #shown = false;

  /**
   * @param {{playlist_url: string, video_url: string}} reply where it can be had when fragments cannot be fed
   * @param {Pace} pace what earlier replies taught about arrivals
   * @param {number} from the second to begin at: what lies before it has been heard
   */
  constructor(video, reply, pace, from) {
    super();
    this.#video = video;
    this.#reply = reply;
    this.#from = from;
    this.#pace = pace;
    pace.begin();
  }

  get hasFragments() {
    return this.#source !== null;
  }

  add(fragment) {
    if (!this.#source) this.#open(fragment);
    const isHeard = fragment.start_seconds + fragment.duration_seconds <= this.#from;
    this.#source.add(isHeard ? { ...fragment, url: null } : fragment);
  }

  /** The reply is known to last this long. */
  lasts(durationSeconds) {
    this.#durationSeconds = durationSeconds;
  }

  estimate(etaSeconds) {
    this.#eta = etaSeconds ?? null;
    this.#maybePlay();
  }

  complete() {
    this.#complete = true;
    this.#source?.finish();
    this.#maybePlay();
  }

  /** Stops where it is; the picture stays until `release`. */
  pause() {
    this.#listening.abort();
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#video.pause();
  }

  /** Gives the element back, and its memory. */
  release() {
    this.pause();
    this.#video.removeAttribute("src");
    this.#video.load();
  }

  #open({ mime }) {
    this.#source = FragmentSource.supports(mime)
      ? new FragmentSource(this.#video)
      : new PlaylistSource(this.#video, PlaylistSource.supported ? this.#reply.playlist_url : this.#reply.video_url);
    const { signal } = this.#listening;
    this.#source.addEventListener("growth", () => this.#grow(), { signal });
    this.#source.addEventListener("dry", () => this.#hold(), { signal });
    this.#source.addEventListener("lost", ({ detail }) => this.#emit("lost", detail), { signal });
    this.#video.addEventListener("ended", () => this.#emit("ended"), { signal });
    this.#video.addEventListener("error", () => this.#emit("lost", this.#video.error), { signal });
  }

  #grow() {
    this.#skipHeard();
    this.#pace.arrived(this.#video.currentTime + this.#source.bufferedSeconds, performance.now() / 1000);
    this.#maybePlay();
  }

  /** Ran dry: the last picture stays until enough has come not to stutter. */
  #hold() {
    // Before the first picture the browser reports every start as having run dry.
    if (!this.#playing || !this.#shown || this.#complete) return;
    this.#stalled = true;
    this.#playing = false;
    this.#video.pause();
  }

  #maybePlay() {
    if (this.#playing || !this.#source) return;
    clearTimeout(this.#timer);
    const wait = this.#complete ? 0 : this.#secondsToWait();
    if (wait <= 0) this.#play();
    else if (Number.isFinite(wait)) this.#timer = setTimeout(() => this.#maybePlay(), wait * 1000);
  }

  /** Until playing will not stall any more; infinite where only an arrival can tell. */
  #secondsToWait() {
    const cushion = this.#stalled ? CUSHION_AFTER_STALL_SECONDS : CUSHION_SECONDS;
    if (this.#source.bufferedSeconds < cushion) return Infinity;
    if (this.#durationSeconds === null || this.#eta === null) return this.#pace.wait(performance.now() / 1000);
    const left = this.#durationSeconds - this.#video.currentTime;
    return this.#eta <= left + ETA_SLACK_SECONDS ? 0 : Infinity;
  }

  #skipHeard() {
    const { buffered, currentTime } = this.#video;
    if (buffered.length === 0) return;
    const start = Math.max(this.#from, buffered.start(0));
    if (currentTime < start && start < buffered.end(buffered.length - 1)) this.#video.currentTime = start;
  }

  async #play() {
    this.#playing = true;
    this.#skipHeard();
    this.#whenPictured(() => {
      this.#shown = true;
      this.#emit("shown");
    });
    try {
      await this.#video.play();
    } catch (error) {
      if (error.name !== "NotAllowedError" || this.#listening.signal.aborted) return;
      this.#video.muted = true;
      this.#emit("muffled");
      await this.#video.play().catch(() => {});
    }
  }

  #whenPictured(act) {
    if ("requestVideoFrameCallback" in this.#video) this.#video.requestVideoFrameCallback(act);
    else this.#video.addEventListener("playing", () => requestAnimationFrame(act), { once: true });
  }

  #emit(type, detail) {
    if (!this.#listening.signal.aborted) this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
