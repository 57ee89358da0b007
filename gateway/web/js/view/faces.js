/** The faces on offer in, a row of pictures to choose from out; one's own can be removed there. */
import { phrase, problemSentence } from "../i18n/strings.js";
import { iconButton, make, name } from "./make.js";

export class Faces {
  #row;
  #add;
  #wardrobe;
  #preferences;

  /** @param {{row: HTMLElement, add: HTMLElement}} parts where the pictures go, before the button for one's own */
  constructor({ row, add }, wardrobe, preferences) {
    this.#row = row;
    this.#add = add;
    this.#wardrobe = wardrobe;
    this.#preferences = preferences;
    wardrobe.addEventListener("changed", () => this.#draw());
  }

  #draw() {
    const { offered, worn } = this.#wardrobe;
    const shown = [...this.#row.querySelectorAll("[data-hash]")].map(({ dataset }) => dataset.hash);
    // While nothing but the choice changes, the pictures stay, and the focus with them.
    if (shown.join() !== offered.map(({ hash }) => hash).join()) {
      this.#row.replaceChildren(...offered.map((avatar) => this.#tile(avatar)), this.#add);
    }
    for (const choice of this.#row.querySelectorAll("[type=radio]")) choice.checked = choice.value === worn?.id;
  }

  #tile(avatar) {
    const tile = make("div", "face-tile");
    tile.dataset.hash = avatar.hash;
    const label = make("label");
    const choice = make("input", "unseen");
    choice.type = "radio";
    choice.name = "face";
    choice.value = avatar.id;
    choice.addEventListener("change", () => this.#preferences.set("avatar", avatar.id));
    const picture = make("img");
    picture.src = avatar.poster_url;
    picture.alt = "";
    picture.decoding = "async";
    label.append(choice, picture, make("span", "", avatar.name));
    tile.append(label);
    if (avatar.own) tile.append(this.#removal(avatar));
    return tile;
  }

  /** Pressed once it asks, pressed twice it removes. */
  #removal(avatar) {
    const label = phrase("removeFace", { name: avatar.name });
    const button = iconButton("remove", label, () => {
      if (button.classList.contains("is-sure")) return this.#remove(avatar, button);
      button.classList.add("is-sure");
      name(button, phrase("removeFaceSure", { name: avatar.name }));
    });
    button.classList.add("remove");
    button.addEventListener("blur", () => {
      button.classList.remove("is-sure");
      name(button, label);
    });
    return button;
  }

  async #remove(avatar, button) {
    button.disabled = true;
    try {
      await this.#wardrobe.remove(avatar);
      this.#row.querySelector(":checked")?.focus();
    } catch (problem) {
      button.disabled = false;
      name(button, problemSentence(problem));
    }
  }
}
