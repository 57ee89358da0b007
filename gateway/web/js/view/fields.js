/** A form control in, the value it stands for out, and back. */
import { phrase } from "../i18n/strings.js";

const MOST_STOP_WORDS = 4;
const MOST_BIAS = 100;

const LISTS = { stop: readStopWords, logit_bias: readBiases };
const WRITERS = {
  stop: (words) => words.join("\n"),
  logit_bias: (biases) => Object.entries(biases).map(([word, bias]) => `${word} = ${bias}`).join("\n"),
};

/** The control's value; what cannot be understood marks the control invalid. Null: a number that was not given. */
export function fieldValue(field) {
  if (field.type === "checkbox") return field.checked;
  if (field.type === "number") return Number.isFinite(field.valueAsNumber) ? field.valueAsNumber : null;
  if (!(field.name in LISTS)) return field.value;
  const { value, flaw } = LISTS[field.name](lines(field.value));
  field.setCustomValidity(flaw ? phrase(flaw) : "");
  return value;
}

export function showValue(field, value) {
  if (field.type === "checkbox") field.checked = value;
  else field.value = WRITERS[field.name]?.(value) ?? value ?? "";
  field.setCustomValidity("");
}

function lines(text) {
  return text.split("\n").map((line) => line.trim()).filter(Boolean);
}

function readStopWords(words) {
  return { value: words.slice(0, MOST_STOP_WORDS), flaw: words.length > MOST_STOP_WORDS && "stopFlaw" };
}

function readBiases(given) {
  const parts = given.map((line) => line.match(/^(.+?)\s*[=:：]\s*([+-]?\d+(?:\.\d+)?)$/));
  const isSound = parts.every((part) => part && Math.abs(part[2]) <= MOST_BIAS);
  if (!isSound) return { value: {}, flaw: "biasFlaw" };
  return { value: Object.fromEntries(parts.map(([, word, bias]) => [word, Number(bias)])) };
}
