/** The language model that answers in, an honest line about it out. */
import { phrase } from "../i18n/strings.js";

/** @param {{id: string, provider: {name: string, embedded: boolean}} | undefined} model */
export function noticeOf(model) {
  if (!model) return phrase("noticeMachine");
  const { name, embedded } = model.provider;
  return phrase(embedded ? "noticeEmbedded" : "noticeProvider", { model: model.id, provider: name });
}
