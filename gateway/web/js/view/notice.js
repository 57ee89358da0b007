/** The language model that answers in, an honest line about it out. */
import { phrase } from "../i18n/strings.js";

/** @param {{id: string, provider: {name: string, embedded: boolean}} | undefined} model */
export function noticeOf(model) {
  const machine = phrase("noticeMachine");
  if (!model) return machine;
  const values = { model: model.id, provider: model.provider.name };
  return `${machine} ${phrase(model.provider.embedded ? "noticeEmbedded" : "noticeProvider", values)}`;
}
