/**
 * A playlist's address in, a playing `<video>` out: for browsers that play HLS themselves and lack Media Source
 * Extensions (Safari on phones). Same shape as `FragmentSource`; the browser does its own buffering, so
 * there is always enough as far as anyone else is concerned.
 */
export class PlaylistSource extends EventTarget {
  #video;

  static get supported() {
    return document.createElement("video").canPlayType("application/vnd.apple.mpegurl") !== "";
  }

  constructor(video, url) {
    super();
    this.#video = video;
    video.src = url;
    video.addEventListener("error", this.#lose);
  }

  get bufferedSeconds() {
    return Infinity;
  }

  add() {
    this.dispatchEvent(new Event("growth"));
  }

  finish() {
    this.dispatchEvent(new Event("growth"));
  }

  close() {
    this.#video.removeEventListener("error", this.#lose);
  }

  #lose = () => this.dispatchEvent(new CustomEvent("lost", { detail: this.#video.error }));
}
