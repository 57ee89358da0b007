/**
 * Choices in, the same choices out on the next visit; `changed` says so, with `{name, value}`.
 *
 * Empty string, empty list and null mean the server's default. The user's own key is kept in this tab's memory alone.
 */
const STORED_AS = "visavis.preferences";
const DEFAULTS = {
  avatar: "",
  network: "",
  language: "auto",
  voice: "",
  speaking_rate: null,
  pitch_semitones: null,
  video: true,
  model: "",
  system: "",
  temperature: null,
  max_tokens: null,
  presence_penalty: null,
  frequency_penalty: null,
  stop: [],
  logit_bias: {},
  own_key: "",
};
const SOUND = { muted: false, volume: 1 };
const NEVER_STORED = "own_key";

export class Preferences extends EventTarget {
  #values = { ...DEFAULTS, ...SOUND, ...stored() };

  get(name) {
    return this.#values[name];
  }

  set(name, value) {
    this.#values[name] = value;
    if (name !== NEVER_STORED) store(name, value);
    this.dispatchEvent(new CustomEvent("changed", { detail: { name, value } }));
  }

  /** Everything that the settings hold back to the server's defaults. */
  reset() {
    for (const [name, value] of Object.entries(DEFAULTS)) this.set(name, value);
  }
}

/** Only this one choice: the others may have been changed in another tab. */
function store(name, value) {
  try {
    localStorage.setItem(STORED_AS, JSON.stringify({ ...stored(), [name]: value }));
  } catch {
    // Private windows may refuse storage: the choice then lasts as long as the page.
  }
}

function stored() {
  try {
    return JSON.parse(localStorage.getItem(STORED_AS)) ?? {};
  } catch {
    return {};
  }
}
