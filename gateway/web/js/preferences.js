/** Choices in, the same choices out on the next visit; `changed` says so. Empty string: the server's default. */
const STORED_AS = "visavis.preferences";
const DEFAULTS = { avatar: "", language: "auto", voice: "", video: true, muted: false };

export class Preferences extends EventTarget {
  #values = { ...DEFAULTS, ...stored() };

  get(name) {
    return this.#values[name];
  }

  set(name, value) {
    this.#values[name] = value;
    try {
      localStorage.setItem(STORED_AS, JSON.stringify(this.#values));
    } catch {
      // Private windows may refuse storage: the choice then lasts as long as the page.
    }
    this.dispatchEvent(new CustomEvent("changed", { detail: { name, value } }));
  }

  /** The part of a reply's request that these choices make. */
  request() {
    const { avatar, language, voice, video } = this.#values;
    return {
      language,
      ...(avatar && { avatar }),
      ...(voice && { voice }),
      ...(!video && { outputs: ["text"] }),
    };
  }
}

function stored() {
  try {
    return JSON.parse(localStorage.getItem(STORED_AS)) ?? {};
  } catch {
    return {};
  }
}
