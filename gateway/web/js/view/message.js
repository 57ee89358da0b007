/** A message of the conversation in, its place in the transcript out; `show` brings it up to date. */
import { isKnownProblem, phrase, problemSentence } from "../i18n/strings.js";
import { MessageActions } from "./actions.js";
import { editor } from "./editor.js";
import { icon } from "./icon.js";
import { make } from "./make.js";
import { writeProse } from "./prose.js";
import { Typewriter } from "./typewriter.js";

/** Why a text is not whole, and the phrase that says so. */
const CUTS = { length: "cutByLength", content_filter: "cutByFilter" };

export class MessageView {
  #message;
  #body = make("div", "prose");
  #waiting = null;
  #typewriter;
  #wishes;
  #actions;
  #ending = make("div", "ending");

  /**
   * @param {{onAskAgain, onEdit, onInclude, onReplay, onGrowth}} wishes what the user may want of the message;
   *   `onGrowth` is called when it has become longer
   */
  constructor(message, wishes) {
    this.#message = message;
    this.#wishes = wishes;
    this.#actions = new MessageActions(message, { ...wishes, onEdit: () => this.#edit() });
    this.element = make("li", `message ${message.role}`);
    const speaker = phrase(message.role === "user" ? "you" : "itSaid");
    this.element.append(make("span", "unseen", `${speaker}: `), this.#body, this.#ending, this.#actions.element);
    this.#typewriter = new Typewriter((text) => {
      writeProse(this.#body, text);
      wishes.onGrowth();
    });
    if (message.status === "writing" && message.text === "") this.#wait();
    this.show(message);
    // Only what is new is typed; what an earlier visit left is there at once.
    if (message.role === "assistant" && message.text !== "") this.#typewriter.finish();
  }

  show(message) {
    const { role, text, status, finish_reason, problem, included, reply } = message;
    if (text !== "" && this.#waiting) this.#stopWaiting();
    if (role === "user") this.#body.textContent = text;
    else if (text !== "") this.#typewriter.text = text;
    if (status !== "writing") this.#stopWaiting();
    this.element.classList.toggle("left-out", !included);
    this.#actions.show(message);
    this.#ending.replaceChildren();
    if (status === "cancelled") this.#ending.append(make("p", "aside", phrase("cancelled")));
    if (CUTS[finish_reason]) this.#ending.append(make("p", "aside", phrase(CUTS[finish_reason])));
    if (reply?.gone) this.#ending.append(make("p", "aside", phrase("videoGone")));
    if (problem) this.#ending.append(problemBubble(problem, () => this.#wishes.onAskAgain(message)));
  }

  #edit() {
    const parts = [this.#body, this.#actions.element];
    const close = () => {
      form.remove();
      for (const part of parts) part.hidden = false;
      this.element.classList.remove("edited");
      this.#actions.element.querySelector("button").focus();
    };
    const form = editor(this.#message.text, {
      onSubmit: (text) => this.#wishes.onEdit(this.#message, text),
      onCancel: close,
    });
    for (const part of parts) part.hidden = true;
    this.element.classList.add("edited");
    this.#body.before(form);
    form.querySelector("textarea").focus();
  }

  #wait() {
    this.#waiting = make("span", "waiting");
    this.#waiting.append(make("span", "unseen", phrase("waiting")), make("i"), make("i"), make("i"));
    this.#ending.before(this.#waiting);
  }

  #stopWaiting() {
    this.#waiting?.remove();
    this.#waiting = null;
  }
}

function problemBubble(problem, onAskAgain) {
  const bubble = make("div", "problem");
  bubble.setAttribute("role", "alert");
  bubble.append(icon("warning"), make("p", "", problemSentence(problem)));
  if (problem.detail && !isKnownProblem(problem)) bubble.append(make("p", "problem-detail", problem.detail));
  const again = make("button", "button", phrase("askAgain"));
  again.type = "button";
  again.addEventListener("click", onAskAgain);
  bubble.append(again);
  return bubble;
}
