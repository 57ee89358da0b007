/** What the server offers and what was chosen before in, choices into the preferences out. */
import { language as pageLanguage, phrase } from "../i18n/strings.js";

const LANGUAGE_NAMES = new Intl.DisplayNames([pageLanguage], { type: "language" });

export class Settings {
  #dialog;
  #fields;
  #preferences;
  #voices = [];

  /** @param {{avatar, language, voice, video}} fields the form's controls, each named like its preference */
  constructor(dialog, fields, preferences) {
    this.#dialog = dialog;
    this.#fields = fields;
    this.#preferences = preferences;
    for (const name of ["avatar", "language", "voice"])
      fields[name].addEventListener("change", () => preferences.set(name, fields[name].value));
    fields.video.checked = preferences.get("video");
    fields.video.addEventListener("change", () => preferences.set("video", fields.video.checked));
    fields.language.addEventListener("change", () => this.#offerVoices());
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  }

  open() {
    this.#dialog.showModal();
  }

  /** Fills the choices; one that the server no longer offers falls back on the default. */
  offer({ avatars, voices }) {
    this.#voices = voices;
    this.#fill("avatar", avatars.map(({ id, name }) => [id, name]));
    const spoken = [...new Set(voices.flatMap(({ languages }) => languages.map(primary)))];
    const named = spoken.map((tag) => [tag, LANGUAGE_NAMES.of(tag)]);
    this.#fill("language", [["auto", phrase("languageAuto")], ...named]);
    this.#offerVoices();
  }

  #offerVoices() {
    const chosen = this.#fields.language.value;
    const fitting = this.#voices.filter(({ languages }) => chosen === "auto" || languages.map(primary).includes(chosen));
    this.#fill("voice", [["", phrase("voiceDefault")], ...fitting.map(({ name, title }) => [name, title || name])]);
  }

  #fill(name, choices) {
    const field = this.#fields[name];
    field.replaceChildren(...choices.map(([value, label]) => new Option(label, value)));
    const values = choices.map(([value]) => value);
    const chosen = this.#preferences.get(name);
    field.value = values.includes(chosen) ? chosen : (values[0] ?? "");
    if (field.value !== chosen) this.#preferences.set(name, field.value);
  }
}

/** `en-GB` speaks `en`; Mandarin's own code, `cmn`, is `zh` to everyone else. */
function primary(tag) {
  return new Intl.Locale(tag).language;
}
