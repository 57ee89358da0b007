/**
 * A conversation in, the same conversation out after a reload, with the place where the face was interrupted.
 *
 * The oldest messages give way when it grows too large for the browser's storage.
 */
import { Problem } from "./problem.js";

const STORED_AS = "visavis.conversation";
const MOST_MESSAGES = 200;
const MOST_CHARACTERS = 500_000;
const WRITE_AFTER_MS = 300;
/** Who comes back later than this does not expect the face to be in the middle of a sentence. */
const INTERRUPTED_MS = 60_000;
const CHANGES = ["added", "changed", "removed", "cleared"];

/**
 * Restores what is stored, and stores every change from now on.
 * @param {() => {id: number, seconds: number} | null} speaking the message that the face speaks, and how far it is
 * @returns {{id: number, seconds: number} | null} the same, from just before the reload
 */
export function remember(conversation, speaking) {
  const { messages, interrupted } = stored();
  conversation.restore(messages.map(revived));
  let due = 0;
  let changed = false;
  const write = (interruption = null) => {
    clearTimeout(due);
    due = 0;
    store({ messages: newest(conversation.messages), interrupted: interruption });
  };
  const note = () => {
    changed = true;
    due ||= setTimeout(write, WRITE_AFTER_MS);
  };
  for (const type of CHANGES) conversation.addEventListener(type, note);
  window.addEventListener("pagehide", () => {
    const interruption = speaking();
    // A tab in which nothing happened must not undo what another one stored.
    if (changed || interruption) write(interruption && { ...interruption, at: Date.now() });
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

function store(value) {
  try {
    localStorage.setItem(STORED_AS, JSON.stringify(value));
  } catch {
    // Private windows may refuse storage: the conversation then lasts as long as the page.
  }
}

function stored() {
  try {
    const { messages, interrupted = null } = JSON.parse(localStorage.getItem(STORED_AS));
    return { messages, interrupted };
  } catch {
    return { messages: [], interrupted: null };
  }
}
