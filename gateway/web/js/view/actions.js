/** A message in, what can be done with it out: send it along or not, correct it, copy it, watch it again, keep it. */
import { phrase } from "../i18n/strings.js";
import { copyButton } from "./copying.js";
import { icon } from "./icon.js";
import { iconButton, make, name } from "./make.js";

export class MessageActions {
  #included;
  #replay;
  #download;

  /** @param {{onInclude, onEdit, onReplay}} wishes each called with the message, once the user wants it */
  constructor(message, { onInclude, onEdit, onReplay }) {
    this.element = make("div", "actions");
    const inclusion = this.#inclusion(message, onInclude);
    if (message.role === "user") {
      this.element.append(inclusion, iconButton("edit", phrase("edit"), () => onEdit(message)));
      return;
    }
    this.#replay = iconButton("replay", phrase("replay"), () => onReplay(message));
    this.#download = make("a", "button quiet icon-only small");
    name(this.#download, phrase("downloadVideo"));
    this.#download.append(icon("download"));
    this.element.append(copyButton(() => message.text), this.#replay, this.#download, inclusion);
  }

  show({ text, status, included, reply, id }) {
    this.element.hidden = status === "writing" || text === "";
    this.#included.checked = included;
    if (!this.#replay) return;
    const isWatchable = Boolean(reply?.pictured && !reply.gone && status !== "failed");
    this.#replay.hidden = !isWatchable;
    this.#download.hidden = !isWatchable || status !== "complete";
    if (reply) this.#download.href = reply.video_url;
    this.#download.download = `vis-a-vis-${id}.mp4`;
  }

  #inclusion(message, onInclude) {
    const label = make("label", "include");
    this.#included = make("input");
    this.#included.type = "checkbox";
    this.#included.addEventListener("change", () => onInclude(message, this.#included.checked));
    label.append(this.#included, make("span", "", phrase("include")));
    return label;
  }
}
