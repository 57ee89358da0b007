/**
 * All tabs of a browser in, the id of the one conversation that belongs to this tab out.
 *
 * A reload goes on with its own, a copied tab with a copy, and a new tab with the latest that no other tab has open.
 * A conversation is open while its tab holds the lock of its name, which browsers let go of when the tab is gone.
 */
import { conversationIds, readConversation, writeConversation } from "./shelf.js";

const STORED_AS = "visavis.tab";
/** A page that is being left may hold its lock a moment longer than its successor needs to ask for it. */
const LEAVING_MS = 3000;

export async function conversationOfThisTab() {
  const { id, left } = taken();
  const chosen = await claimed(id, left);
  remain(chosen, false);
  window.addEventListener("pagehide", () => remain(chosen, true));
  window.addEventListener("pageshow", () => remain(chosen, false));
  return chosen;
}

async function claimed(id, left) {
  if (id && (await isFree(id, left ? LEAVING_MS : 0))) return id;
  if (id) return copyOf(id);
  const kept = conversationIds();
  for (const candidate of kept) if (await isFree(candidate, 0)) return candidate;
  return navigator.locks || kept.length === 0 ? fresh() : copyOf(kept[0]);
}

/** Whether no other tab has it open; from now on this one has. Without locks only the tab's own is known to be free. */
async function isFree(id, waitMs) {
  if (!navigator.locks) return waitMs > 0;
  const options = waitMs > 0 ? { signal: AbortSignal.timeout(waitMs) } : { ifAvailable: true };
  return new Promise((resolve) => {
    const held = navigator.locks.request(`visavis.conversation.${id}`, options, (lock) => {
      resolve(lock !== null);
      return lock && new Promise(() => {});
    });
    held.catch(() => resolve(false));
  });
}

async function copyOf(id) {
  const copy = await fresh();
  writeConversation(copy, readConversation(id));
  return copy;
}

async function fresh() {
  // Not `randomUUID`, which pages without TLS do not have.
  const id = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  await isFree(id, 0);
  return id;
}

/** What this tab noted before a reload. A copied tab has the note as well, but was not left. */
function taken() {
  try {
    return JSON.parse(sessionStorage.getItem(STORED_AS)) ?? {};
  } catch {
    return {};
  }
}

function remain(id, left) {
  try {
    sessionStorage.setItem(STORED_AS, JSON.stringify({ id, left }));
  } catch {
    // Without storage the conversation lasts as long as the page.
  }
}
