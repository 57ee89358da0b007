/**
 * The faces that the server offers in, the one to wear out; `changed` says when either is another.
 *
 * A choice that the server no longer offers falls back on its default.
 */
import { patiently } from "./patience.js";

export class Wardrobe extends EventTarget {
  #gateway;
  #preferences;
  #offered = [];

  constructor(gateway, preferences) {
    super();
    this.#gateway = gateway;
    this.#preferences = preferences;
    preferences.addEventListener("changed", ({ detail: { name } }) => name === "avatar" && this.#changed());
  }

  /** The default one first, the user's own last. */
  get offered() {
    return this.#offered;
  }

  /** The chosen face, as `GET /v1/avatars` describes it; undefined before the server has told. */
  get worn() {
    return this.#offered.find(({ id }) => id === this.#preferences.get("avatar")) ?? this.#offered[0];
  }

  /** Asks the server, until it answers. */
  async open() {
    this.#offered = await patiently(() => this.#gateway.avatars());
    if (this.worn?.id !== this.#preferences.get("avatar")) this.#preferences.set("avatar", "");
    this.#changed();
  }

  /** Makes a face of a portrait, and wears it; `options` as `Gateway.addAvatar` has them. Throws the refusal. */
  async add(portrait, options) {
    const added = await this.#gateway.addAvatar(portrait, options);
    this.#offered = [...this.#offered, added];
    this.#preferences.set("avatar", added.id);
  }

  async remove({ id }) {
    await this.#gateway.removeAvatar(id);
    this.#offered = this.#offered.filter((avatar) => avatar.id !== id);
    if (this.#preferences.get("avatar") === id) this.#preferences.set("avatar", "");
    else this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("changed"));
  }
}
