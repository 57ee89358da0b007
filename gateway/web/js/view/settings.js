/** What the server offers and what was chosen before in, choices into the preferences out. */
import { language as pageLanguage, phrase } from "../i18n/strings.js";
import { fieldValue, showValue } from "./fields.js";

const LANGUAGE_NAMES = new Intl.DisplayNames([pageLanguage], { type: "language" });

export class Settings {
  #dialog;
  #fields;
  #preferences;
  #voices = [];

  /** @param {HTMLDialogElement} dialog its form's controls are named like the preferences they change */
  constructor(dialog, preferences) {
    const form = dialog.querySelector("form");
    this.#dialog = dialog;
    this.#fields = form.elements;
    this.#preferences = preferences;
    for (const field of this.#named()) {
      showValue(field, preferences.get(field.name));
      field.addEventListener("change", () => this.#take(field));
    }
    this.#fields.language.addEventListener("change", () => this.#offerFitting());
    form.addEventListener("reset", (event) => {
      event.preventDefault();
      this.#reset();
    });
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  }

  open() {
    this.#dialog.showModal();
  }

  /** Languages and voices; one that the server no longer offers falls back on the default. */
  offerVoices(voices) {
    this.#voices = voices;
    const spoken = [...new Set(voices.flatMap(({ languages }) => languages.map(primary)))];
    const named = spoken.map((tag) => [tag, LANGUAGE_NAMES.of(tag)]);
    this.#fill("language", [["auto", phrase("languageAuto")], ...named]);
    this.#offerFitting();
  }

  /** One network is no choice. */
  offerNetworks(networks) {
    this.#fill("network", [["", phrase("serverDefault")], ...networks.map(({ name }) => [name, name])]);
    this.#fields.network.closest(".field").hidden = networks.length < 2;
  }

  /** Names the models; with a key of their own users may write the name of any other. */
  offerModels(models) {
    const [main] = models;
    this.#fields.model.placeholder = main?.id ?? "";
    this.#fields.model.list.replaceChildren(...models.map(({ id }) => new Option(id, id)));
  }

  #take(field) {
    const value = fieldValue(field);
    if (field.checkValidity()) this.#preferences.set(field.name, value);
    else field.reportValidity();
  }

  #reset() {
    this.#preferences.reset();
    for (const field of this.#named()) showValue(field, this.#preferences.get(field.name));
    this.#offerFitting();
  }

  #named() {
    return [...this.#fields].filter(({ name, type }) => name && type !== "radio");
  }

  /** The voices that speak the chosen language. */
  #offerFitting() {
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
