/**
 * A portrait in, by drop, paste or choice of a file; out comes a face made of it, or the server's sentence why not.
 *
 * What makes a portrait usable is the server's to say: any picture or clip is shown and sent.
 */
import { phrase, problemSentence } from "../i18n/strings.js";

const MOST_NAME_CHARACTERS = 64;
/** Names that cameras and screenshots give. */
const NO_NAME = /^(IMG|DSC|PXL|MVIMG|image|photo|Screenshot|WhatsApp|[\d_-]+$)/i;
/** On a small screen it begins below the edge. */
const IN_VIEW = { block: "nearest" };
const STEPS = {
  waiting: "portraitWaiting",
  reading: "portraitReading",
  face: "portraitFinding",
  mouth: "portraitMouth",
  loop: "portraitLoop",
  packing: "portraitPacking",
};

export class PortraitSheet {
  #dialog;
  #parts;
  #faces;
  #portrait = null;
  #address = null;
  #building = null;

  /**
   * @param {HTMLDialogElement} dialog
   * @param {{form, file, zone, picture, clip, name, refusal, progress, track, step, share, cancel, make}} parts its parts
   * @param {{add: (portrait, options) => Promise<void>}} faces who makes a face of the portrait; `options` as
   *   `Gateway.addAvatar` has them
   */
  constructor(dialog, parts, faces) {
    this.#dialog = dialog;
    this.#parts = parts;
    this.#faces = faces;
    parts.file.addEventListener("change", () => this.#take(parts.file.files[0]));
    parts.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#make();
    });
    parts.cancel.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => this.#forget());
  }

  /** Shows the sheet, with that file if there is one. */
  open(portrait = null) {
    if (!this.#dialog.open) this.#dialog.showModal();
    if (portrait) this.#take(portrait);
  }

  #take(portrait) {
    if (!portrait || this.#building) return;
    const { picture, clip, zone, name } = this.#parts;
    this.#portrait = portrait;
    if (this.#address) URL.revokeObjectURL(this.#address);
    this.#address = URL.createObjectURL(portrait);
    const isClip = portrait.type.startsWith("video/");
    picture.hidden = isClip;
    clip.hidden = !isClip;
    (isClip ? clip : picture).src = this.#address;
    zone.classList.add("is-filled");
    if (name.value === "") name.value = nameOf(portrait);
    this.#refuse("");
  }

  async #make() {
    const { name, file } = this.#parts;
    if (!this.#portrait) {
      file.focus();
      this.#refuse(phrase("portraitMissing"));
      return;
    }
    this.#refuse("");
    this.#building = new AbortController();
    const { signal } = this.#building;
    this.#showBuilding(true);
    try {
      const portrait = { image: this.#portrait, name: name.value.trim() };
      await this.#faces.add(portrait, { signal, onProgress: (progress) => this.#showProgress(progress) });
      for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
    } catch (problem) {
      if (!signal.aborted) this.#refuse(problem.detail || problemSentence(problem));
    } finally {
      this.#showBuilding(false);
      this.#building = null;
    }
  }

  #showBuilding(building) {
    const { form, progress, make } = this.#parts;
    for (const field of form.querySelectorAll("input")) field.disabled = building;
    make.disabled = building;
    progress.hidden = !building;
    if (!building) return;
    this.#showProgress({ step: "", fraction: 0 });
    progress.scrollIntoView(IN_VIEW);
  }

  #showProgress({ step, fraction }) {
    const { track, step: words, share } = this.#parts;
    const percent = Math.floor(fraction * 100);
    // What the server says before its first hundredth is no more than that it is there.
    track.classList.toggle("is-waiting", percent === 0);
    track.setAttribute("aria-valuenow", percent);
    track.firstElementChild.style.transform = percent ? `scaleX(${fraction})` : "";
    share.textContent = percent ? phrase("percent", { percent }) : "";
    const doing = phrase(STEPS[step] ?? "portraitMaking");
    // Said again it would be read out again.
    if (words.textContent !== doing) words.textContent = doing;
  }

  #refuse(sentence) {
    const { refusal } = this.#parts;
    refusal.textContent = sentence;
    refusal.hidden = sentence === "";
    if (sentence !== "") refusal.scrollIntoView(IN_VIEW);
  }

  #forget() {
    const { form, picture, clip, zone } = this.#parts;
    this.#building?.abort();
    form.reset();
    this.#refuse("");
    this.#portrait = null;
    zone.classList.remove("is-filled");
    for (const shown of [picture, clip]) {
      shown.hidden = true;
      shown.removeAttribute("src");
    }
    if (this.#address) URL.revokeObjectURL(this.#address);
    this.#address = null;
  }
}

function nameOf({ name }) {
  const stem = name.replace(/\.[^.]*$/, "").trim();
  return NO_NAME.test(stem) ? "" : stem.slice(0, MOST_NAME_CHARACTERS);
}
