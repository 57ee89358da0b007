/**
 * A playlist's address in, a playing `<video>` out: for browsers that play HLS themselves and lack Media Source
 * Extensions (Safari on phones). Same shape as `FragmentSource`; the browser does its own buffering, so
 * there is always enough as far as anyone else is concerned.
 */
export class PlaylistSource extends EventTarget {
  static get supported() {
    return document.createElement("video").canPlayType("application/vnd.apple.mpegurl") !== "";
  }

  constructor(video, url) {
    super();
    video.src = url;
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

  close() {}
}
