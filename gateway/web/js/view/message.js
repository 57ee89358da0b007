/** A message of the conversation in, its place in the transcript out; `show` brings it up to date. */
import { isKnownProblem, phrase, problemSentence } from "../i18n/strings.js";
import { icon } from "./icon.js";
import { writeProse } from "./prose.js";
import { Typewriter } from "./typewriter.js";

export class MessageView {
  #body = make("div", "prose");
  #waiting = null;
  #typewriter;
  #onAskAgain;
  #ending = make("div", "ending");

  /** @param {(message: object) => void} onAskAgain called when the user wants a failed answer tried again */
  constructor(message, { onAskAgain, onGrowth }) {
    this.#onAskAgain = () => onAskAgain(message);
    this.element = make("li", `message ${message.role}`);
    this.element.append(make("span", "unseen", `${phrase(message.role === "user" ? "you" : "itSaid")}: `), this.#body, this.#ending);
    this.#typewriter = new Typewriter((text) => {
      writeProse(this.#body, text);
      onGrowth();
    });
    if (message.status === "writing") this.#wait();
    this.show(message);
  }

  show({ role, text, status, problem }) {
    if (text !== "" && this.#waiting) this.#stopWaiting();
    if (role === "user") this.#body.textContent = text;
    else if (text !== "") this.#typewriter.text = text;
    if (status !== "writing") this.#stopWaiting();
    this.#ending.replaceChildren();
    if (status === "cancelled") this.#ending.append(make("p", "aside", phrase("cancelled")));
    if (problem) this.#ending.append(problemBubble(problem, this.#onAskAgain));
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

function make(tag, className = "", text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}
