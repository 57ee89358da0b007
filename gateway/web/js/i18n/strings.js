/** The browser's languages in; the page's words in the first of them that we speak out. */
import en from "./en.js";
import zh from "./zh.js";

const LANGUAGES = { en, zh };

/** `en` or `zh`. */
export const language =
  navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => tag in LANGUAGES) ?? "en";

const words = LANGUAGES[language];

/** Problems of which only the server's detail says what to change. */
const LEAVES_OPEN = new Set(["unknown", "invalid-request", "unsupported-setting"]);

/** A phrase with its values filled in. */
export function phrase(name, values = {}) {
  return words[name].replace(/\{(\w+)\}/g, (mark, key) => values[key] ?? mark);
}

export const suggestions = words.suggestions;

/** A sentence a person understands; a type this page does not know falls back on the general one. */
export function problemSentence({ type }) {
  return words.problem[type] ?? words.problem.unknown;
}

/** Whether the sentence says it all; if not, the server's own detail should stand beside it. */
export function isKnownProblem({ type }) {
  return type in words.problem && !LEAVES_OPEN.has(type);
}

/** Puts the words into the elements that name them. */
export function translatePage(root = document) {
  root.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const element of root.querySelectorAll("[data-text]")) element.textContent = words[element.dataset.text];
  for (const element of root.querySelectorAll("[data-label]")) {
    const label = words[element.dataset.label];
    element.setAttribute("aria-label", label);
    // Most buttons are a drawing alone: who points at one reads what it is for.
    if (element.localName === "button") element.title = label;
  }
  for (const element of root.querySelectorAll("[data-placeholder]"))
    element.placeholder = words[element.dataset.placeholder];
}
