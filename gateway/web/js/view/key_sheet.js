/** A gateway that wants a key in, the key that the user gives out: kept in this tab until it is closed. */
import { phrase } from "../i18n/strings.js";

const STORED_AS = "visavis.key";

export class KeySheet {
  #dialog;
  #field;
  #flaw;

  /** @param {{dialog: HTMLDialogElement, field: HTMLInputElement, flaw: HTMLElement}} parts */
  constructor({ dialog, field, flaw }) {
    this.#dialog = dialog;
    this.#field = field;
    this.#flaw = flaw;
  }

  /** The key that was given before a reload, or "". */
  get kept() {
    try {
      return sessionStorage.getItem(STORED_AS) ?? "";
    } catch {
      return "";
    }
  }

  /** @param {string} refused the key that did not open, if one was tried */
  async ask(refused) {
    this.#flaw.textContent = refused ? phrase("keyRefused") : "";
    let key = "";
    // Without a key there is nothing to do here: a sheet that is closed empty comes back.
    while (key === "") key = await this.#typed();
    keep(key);
    return key;
  }

  #typed() {
    this.#field.value = "";
    this.#dialog.showModal();
    return new Promise((resolve) => {
      this.#dialog.addEventListener("close", () => resolve(this.#field.value.trim()), { once: true });
    });
  }
}

/** The next visit to this page begins at the door. */
export function forgetKey() {
  keep("");
  window.location.reload();
}

function keep(key) {
  try {
    if (key) sessionStorage.setItem(STORED_AS, key);
    else sessionStorage.removeItem(STORED_AS);
  } catch {
    // Where nothing may be stored, the key lasts as long as the page.
  }
}
