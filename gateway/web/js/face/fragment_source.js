/**
 * Fragments in by address, a playing `<video>` out, through Media Source Extensions.
 *
 * Both sides are bounded: no more is fetched than a little ahead of what is played, and what was played is dropped.
 * Emits `growth` after each fragment, `dry` when playing has used up all of them, and `lost` (with the error) when one
 * cannot be had or decoded.
 */
const FETCHES_AHEAD = 3;
const MOST_AHEAD_SECONDS = 60;
const KEPT_BEHIND_SECONDS = 10;
const FETCH_ATTEMPTS = 8;

/** Safari on phones has but the second one: it may tell when it wants more. */
const Media = window.MediaSource ?? window.ManagedMediaSource;

export class FragmentSource extends EventTarget {
  #video;
  #media = new Media();
  #address;
  #stop = new AbortController();
  #waiting = [];
  #wake = () => {};
  #finished = false;

  /** Whether this browser can be fed fragments of this kind. */
  static supports(mime) {
    return Boolean(Media?.isTypeSupported(mime));
  }

  constructor(video) {
    super();
    this.#video = video;
    this.#address = URL.createObjectURL(this.#media);
    video.src = this.#address;
    const dry = () => this.dispatchEvent(new Event("dry"));
    video.addEventListener("waiting", dry, { signal: this.#stop.signal });
  }

  get bufferedSeconds() {
    const { buffered, currentTime } = this.#video;
    return buffered.length > 0 ? buffered.end(buffered.length - 1) - currentTime : 0;
  }

  /** Takes the next fragment of the timeline, without `url` where it is left out; the first names init segment and type. */
  add({ url, init_url: initUrl, mime }) {
    if (initUrl) {
      this.#waiting.push({ url: initUrl });
      this.#append(mime);
    }
    if (url) this.#waiting.push({ url });
    this.#fetchAhead();
    this.#wake();
  }

  /** No more fragments will come. */
  finish() {
    this.#finished = true;
    this.#wake();
  }

  close() {
    this.#stop.abort();
    this.#wake();
    URL.revokeObjectURL(this.#address);
  }

  async #append(mime) {
    try {
      if (this.#media.readyState !== "open") await once(this.#media, "sourceopen");
      const buffer = this.#media.addSourceBuffer(mime);
      for await (const bytes of this.#bytes()) {
        buffer.appendBuffer(bytes);
        await once(buffer, "updateend");
        this.dispatchEvent(new Event("growth"));
        await this.#dropPlayed(buffer);
        await this.#roomAhead();
      }
      if (!this.#stop.signal.aborted) this.#media.endOfStream();
      this.dispatchEvent(new Event("growth"));
    } catch (error) {
      if (!this.#stop.signal.aborted) this.dispatchEvent(new CustomEvent("lost", { detail: error }));
    }
  }

  async *#bytes() {
    while (!this.#stop.signal.aborted) {
      if (this.#waiting.length > 0) {
        this.#fetchAhead();
        const bytes = await this.#waiting[0].bytes;
        this.#waiting.shift();
        yield bytes;
      } else if (this.#finished) {
        return;
      } else {
        await new Promise((resolve) => (this.#wake = resolve));
      }
    }
  }

  #fetchAhead() {
    for (const entry of this.#waiting.slice(0, FETCHES_AHEAD)) {
      if (entry.bytes) continue;
      entry.bytes = fetchedBytes(entry.url, this.#stop.signal);
      // Whoever takes it sees the failure; without this it would also count as unhandled while it waits its turn.
      entry.bytes.catch(() => {});
    }
  }

  async #dropPlayed(buffer) {
    const end = this.#video.currentTime - KEPT_BEHIND_SECONDS;
    if (buffer.buffered.length === 0 || end <= buffer.buffered.start(0)) return;
    buffer.remove(0, end);
    await once(buffer, "updateend");
  }

  async #roomAhead() {
    const { signal } = this.#stop;
    while ((this.bufferedSeconds > MOST_AHEAD_SECONDS || this.#media.streaming === false) && !signal.aborted) {
      await first([[this.#video, "timeupdate"], [this.#media, "startstreaming"]], signal);
    }
  }
}

/** A fragment is written once and never replaced, so asking again is safe. */
async function fetchedBytes(url, signal) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const response = await fetch(url, { signal });
      if (response.ok) return await response.arrayBuffer();
      throw new Error(`A fragment was answered with ${response.status}.`);
    } catch (error) {
      if (signal.aborted || attempt === FETCH_ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.min(200 * 2 ** attempt, 4000)));
    }
  }
}

function once(target, type) {
  return new Promise((resolve, reject) => {
    const settled = new AbortController();
    const settle = (action) => (event) => (settled.abort(), action(event));
    target.addEventListener(type, settle(resolve), { signal: settled.signal });
    target.addEventListener("error", settle(reject), { signal: settled.signal });
  });
}

/** Whichever comes first of these events and the signal. */
function first(events, signal) {
  return new Promise((resolve) => {
    const settled = new AbortController();
    const settle = () => (settled.abort(), resolve());
    for (const [target, type] of [...events, [signal, "abort"]])
      target.addEventListener(type, settle, { signal: settled.signal });
  });
}
