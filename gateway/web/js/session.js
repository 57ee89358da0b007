/**
 * The user's words in; the reply goes out to the conversation, the face, the captions and the progress bar.
 *
 * One reply at a time. The reply may end while the face still speaks it: `busy` is the one, `face.speaking` the other.
 * Emits `asked` before each reply and `changed` when `busy` does.
 */
import { Problem } from "./problem.js";
import { Reply } from "./reply.js";

export class Session extends EventTarget {
  #parts;
  #reply = null;
  #answer = null;

  /** @param {{conversation, preferences, face, captions, progress, announce: (text: string) => void}} parts */
  constructor(parts) {
    super();
    this.#parts = parts;
    parts.face.addEventListener("lost", () => {
      parts.conversation.change(this.#answer, { problem: new Problem("video-lost") });
    });
  }

  get busy() {
    return this.#reply !== null;
  }

  /** Sends what the user wrote, after everything said so far. */
  say(text) {
    if (this.busy) return;
    this.#parts.conversation.add("user", text);
    this.#ask();
  }

  /** Asks once more for an answer that failed; the words of the user stand. */
  askAgain(failedAnswer) {
    if (this.busy) return;
    this.#parts.conversation.remove(failedAnswer);
    this.#ask();
  }

  /** Stops the reply and the face, whichever still goes on. */
  stop() {
    this.#reply?.cancel();
    this.#parts.face.hush();
  }

  startOver() {
    this.stop();
    this.#parts.conversation.clear();
  }

  #ask() {
    const { conversation, preferences, face, captions, progress } = this.#parts;
    face.hush();
    captions.clear();
    const reply = new Reply({ messages: conversation.history(), ...preferences.request() });
    this.#reply = reply;
    this.#answer = conversation.add("assistant", "", "writing");
    this.dispatchEvent(new Event("asked"));
    face.think();
    progress.begin();
    this.#connect(reply, this.#answer);
    this.#changed();
    reply.run();
  }

  #connect(reply, answer) {
    const { conversation, face, captions, progress, announce } = this.#parts;
    const on = (type, listener) => reply.addEventListener(type, ({ detail }) => listener(detail));
    on("created", (created) => face.prepare(created));
    on("line", ({ connected }) => progress.line(connected));
    on("accepted", (estimate) => progress.show({ stage: "text", fraction: 0, ...estimate }));
    on("text_delta", ({ delta }) => conversation.change(answer, { text: answer.text + delta }));
    on("text_ok", ({ text }) => {
      conversation.change(answer, { text });
      announce(text);
    });
    on("utterance", (utterance) => captions.add(utterance));
    on("audio_ok", (audio) => face.lasts(audio.duration_seconds));
    on("fragment", (fragment) => face.speak(fragment));
    on("progress", (estimate) => {
      progress.show(estimate);
      face.estimate(estimate.eta_seconds);
    });
    on("video_ok", () => face.complete());
    on("ended", (ending) => this.#end(answer, ending));
  }

  #end(answer, { status, problem }) {
    const { conversation, face, progress } = this.#parts;
    const ended = status === "completed" ? "complete" : status;
    conversation.change(answer, { status: ended, problem: problem ?? answer.problem });
    progress.end();
    if (status === "completed") face.complete();
    else face.hush();
    this.#reply = null;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("changed"));
  }
}
