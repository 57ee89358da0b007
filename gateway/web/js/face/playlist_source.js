/**
 * The address of a playlist, or of a growing MP4, in, a playing `<video>` out: for browsers without Media Source
 * Extensions, which are phones with iOS before 17.1. They play HLS by themselves; a library for HLS would not help,
 * as all of them feed the same extensions. Same shape as `FragmentSource`; the browser does its own buffering, so there
 * is always enough as far as anyone else is concerned.
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
