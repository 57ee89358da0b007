/** Conversations in by their ids, the same ones out, the latest first: in the browser's storage, a few of them. */
const PREFIX = "visavis.conversation.";
const MOST_KEPT = 10;
const EMPTY = { messages: [], interrupted: null, at: 0 };

/** @returns {{messages: object[], interrupted: object | null, at: number}} empty where there is none of that id */
export function readConversation(id) {
  try {
    return { ...EMPTY, ...JSON.parse(localStorage.getItem(PREFIX + id)) };
  } catch {
    return EMPTY;
  }
}

/** An empty conversation takes no place. Private windows may refuse storage: it then lasts as long as the page. */
export function writeConversation(id, conversation) {
  if (conversation.messages.length === 0) return forget(id);
  const others = conversationIds().filter((other) => other !== id);
  for (const old of others.splice(MOST_KEPT - 1)) forget(old);
  const text = JSON.stringify({ ...conversation, at: Date.now() });
  while (!wasStored(PREFIX + id, text) && others.length > 0) forget(others.pop());
}

/** Of all that are kept, the latest first. */
export function conversationIds() {
  try {
    const ids = Object.keys(localStorage).filter((key) => key.startsWith(PREFIX)).map((key) => key.slice(PREFIX.length));
    const at = new Map(ids.map((id) => [id, readConversation(id).at]));
    return ids.sort((one, other) => at.get(other) - at.get(one));
  } catch {
    return [];
  }
}

function forget(id) {
  try {
    localStorage.removeItem(PREFIX + id);
  } catch {
    // Without storage there is nothing to forget.
  }
}

function wasStored(key, text) {
  try {
    localStorage.setItem(key, text);
    return true;
  } catch {
    return false;
  }
}
