/** Mute, volume and the tap that lets a browser make sound in; the voice as loud as the user wants out. */
import { drawIcon } from "./icon.js";

export class Sound {
  #video;
  #controls;
  #preferences;

  /** @param {{mute, volume, hear}} controls two that are always there, and the button for browsers that want a tap */
  constructor(video, controls, preferences) {
    this.#video = video;
    this.#controls = controls;
    this.#preferences = preferences;
    controls.mute.addEventListener("click", () => this.#mute(!video.muted));
    controls.volume.addEventListener("input", () => this.#turn(controls.volume.valueAsNumber));
    controls.hear.addEventListener("click", () => {
      controls.hear.hidden = true;
      video.muted = false;
    });
    video.addEventListener("volumechange", () => this.#draw());
    this.restore();
    this.#draw();
  }

  /** A reply that had to begin without sound was one exception; the user's wish holds for the next. */
  restore() {
    this.#video.volume = this.#preferences.get("volume");
    this.#video.muted = this.#preferences.get("muted");
  }

  /** Whether the browser waits for a tap before it lets the face be heard. */
  awaitTap(awaited) {
    this.#controls.hear.hidden = !awaited;
  }

  #mute(muted) {
    this.#video.muted = muted;
    this.#preferences.set("muted", muted);
  }

  /** All the way down is mute: unmuting makes it as loud as it was before. */
  #turn(volume) {
    if (volume > 0) {
      this.#video.volume = volume;
      this.#preferences.set("volume", volume);
    }
    this.#mute(volume === 0);
  }

  #draw() {
    const { muted, volume } = this.#video;
    const { mute, volume: slider } = this.#controls;
    mute.setAttribute("aria-pressed", muted);
    slider.value = muted ? 0 : volume;
    drawIcon(mute.querySelector("svg"), muted ? "muted" : "sound");
  }
}
