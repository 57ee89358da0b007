/**
 * A conversation in, the same conversation out after a reload, with the place where the face was interrupted.
 *
 * Each tab has a conversation of its own, so that none overwrites another's. The oldest messages give way when it grows
 * too large for the browser's storage.
 */
import { Problem } from "../problem.js";
import { readConversation, writeConversation } from "./shelf.js";
import { conversationOfThisTab } from "./tab.js";

const MOST_MESSAGES = 200;
const MOST_CHARACTERS = 500_000;
const WRITE_AFTER_MS = 300;
/** Who comes back later than this does not expect the face to be in the middle of a sentence. */
const INTERRUPTED_MS = 60_000;
const CHANGES = ["added", "changed", "removed", "cleared"];

/**
 * Restores what is stored, and stores every change from now on.
 * @param {() => {id: number, seconds: number} | null} speaking the message that the face speaks, and how far it is
 * @returns {Promise<{id: number, seconds: number} | null>} the same, from just before the reload
 */
export async function remember(conversation, speaking) {
  const id = await conversationOfThisTab();
  const { messages, interrupted } = readConversation(id);
  conversation.restore(messages.map(revived));
  let due = 0;
  const write = (interruption = null) => {
    clearTimeout(due);
    due = 0;
    writeConversation(id, { messages: newest(conversation.messages), interrupted: interruption });
  };
  for (const type of CHANGES) conversation.addEventListener(type, () => (due ||= setTimeout(write, WRITE_AFTER_MS)));
  window.addEventListener("pagehide", () => {
    const interruption = speaking();
    write(interruption && { ...interruption, at: Date.now() });
  });
  return interrupted && Date.now() - interrupted.at < INTERRUPTED_MS ? interrupted : null;
}

function newest(messages) {
  let characters = 0;
  const kept = [];
  for (const message of messages.slice(-MOST_MESSAGES).reverse()) {
    characters += message.text.length;
    if (characters > MOST_CHARACTERS) break;
    kept.unshift(message);
  }
  return kept;
}

function revived({ problem, ...message }) {
  return problem ? { ...message, problem: new Problem(problem.type, problem.detail) } : message;
}
