/**
 * The user's words in; the reply goes out to the conversation, the face, the captions and the progress bar.
 *
 * One reply at a time. The reply may end while the face still speaks it: `busy` is the one, `face.speaking` the other.
 * Emits `asked` before each reply and `changed` when `busy` does.
 */
import { perform } from "./face/performance.js";
import { patiently } from "./patience.js";
import { Problem } from "./problem.js";
import { Reply } from "./reply.js";
import { replyRequest } from "./request.js";

export class Session extends EventTarget {
  #parts;
  #reply = null;
  #replayed = null;
  #performed = null;

  /** @param {{gateway, conversation, preferences, face, captions, progress, slowness, announce: (text: string) => void}} parts */
  constructor(parts) {
    super();
    this.#parts = parts;
    parts.face.addEventListener("lost", () => {
      parts.conversation.change(this.#performed, { problem: new Problem("video-lost") });
    });
  }

  get busy() {
    return this.#reply !== null;
  }

  /** The message that the face speaks, and how far it is; null while it is silent. */
  get speaking() {
    const seconds = this.#parts.face.spokenSeconds;
    return seconds === null || !this.#performed ? null : { id: this.#performed.id, seconds };
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
    this.#parts.conversation.rewind(failedAnswer);
    this.#ask();
  }

  /** Asks with other words: what was said after the old ones is taken back. */
  edit(message, text) {
    if (this.busy) return;
    this.#parts.conversation.rewind(message);
    this.say(text);
  }

  /** Shows an earlier answer once more, or goes on with one that a reload interrupted. */
  replay(answer, from = 0) {
    if (this.busy) return;
    const { gateway, conversation, face } = this.#parts;
    const reply = new Reply(gateway, () => gateway.reply(answer.reply.id));
    this.#perform(reply, answer, from);
    this.#replayed = reply;
    reply.addEventListener("ended", ({ detail: { problem } }) => {
      if (problem?.type === "not-found") conversation.change(answer, { reply: { ...answer.reply, gone: true } });
      if (problem) face.hush();
      else face.complete();
    });
    reply.run();
  }

  /** Takes up what a reload interrupted: the answer that was being written, or the one that was being spoken. */
  resume(interrupted) {
    const { gateway, conversation } = this.#parts;
    const { messages } = conversation;
    const written = messages.findLast(({ status }) => status === "writing");
    const spoken = messages.find(({ id }) => id === interrupted?.id);
    const from = interrupted?.seconds ?? 0;
    if (written && !written.reply) {
      conversation.change(written, { status: "failed", problem: new Problem("interrupted") });
    } else if (written) {
      const reply = new Reply(gateway, () => keptReply(gateway, written.reply.id));
      this.#follow(reply, written, spoken === written ? from : 0);
    } else if (spoken?.reply) {
      this.replay(spoken, from);
    }
  }

  /** Stops the reply and the face, whichever still goes on. */
  stop() {
    this.#reply?.cancel();
    this.#replayed?.cancel();
    this.#parts.face.hush();
  }

  startOver() {
    this.stop();
    this.#parts.conversation.clear();
  }

  #ask() {
    const { gateway, conversation, preferences } = this.#parts;
    const request = replyRequest(conversation.history(), preferences);
    const answer = conversation.add("assistant", "", "writing");
    const llmKey = preferences.get("own_key");
    this.#follow(new Reply(gateway, () => gateway.ask(request, { llmKey })), answer);
  }

  #follow(reply, answer, from = 0) {
    this.#reply = reply;
    this.#perform(reply, answer, from);
    this.#parts.progress.begin();
    this.#parts.slowness.begin();
    this.#connect(reply, answer);
    this.#changed();
    reply.run();
  }

  #perform(reply, answer, from) {
    this.#replayed?.cancel();
    this.#replayed = null;
    this.#performed = answer;
    this.dispatchEvent(new Event("asked"));
    perform(reply, { ...this.#parts, from });
  }

  #connect(reply, answer) {
    const { conversation, progress, slowness, announce } = this.#parts;
    const on = (type, listener) => reply.addEventListener(type, ({ detail }) => listener(detail));
    let text = "";
    on("created", ({ id, video_url }) => conversation.change(answer, { reply: { id, video_url } }));
    on("line", ({ connected }) => progress.line(connected));
    on("accepted", (estimate) => progress.show({ stage: "text", fraction: 0, ...estimate }));
    on("text_delta", ({ delta }) => {
      text += delta;
      // After a reload the first deltas are on the page already.
      if (text.length > answer.text.length) conversation.change(answer, { text });
    });
    on("text_ok", (whole) => {
      conversation.change(answer, { text: whole.text, finish_reason: whole.finish_reason });
      slowness.learn({ text: true });
      announce(whole.text);
    });
    on("utterance", () => slowness.learn({ speech: true }));
    on("fragment", ({ index }) => {
      slowness.moved();
      if (index === 0) conversation.change(answer, { reply: { ...answer.reply, pictured: true } });
    });
    on("progress", (estimate) => {
      progress.show(estimate);
      slowness.learn({ queue_position: estimate.queue_position });
    });
    on("ended", (ending) => this.#end(answer, ending));
  }

  #end(answer, { status, problem }) {
    const { conversation, face, progress, slowness } = this.#parts;
    slowness.end();
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

/** A server that restarts is waited for; one that knows nothing of the reply has lost it. */
function keptReply(gateway, id) {
  const known = (error) => (error.type === "offline" ? Promise.reject(error) : error);
  return patiently(() => gateway.reply(id).catch(known)).then((kept) => {
    if (kept instanceof Problem) throw new Problem("interrupted");
    return kept;
  });
}
