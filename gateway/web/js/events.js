/**
 * The address of a reply's event log in, its events out: in order, each once, up to the terminal one.
 *
 * A line that is cut, or silent for longer than the server ever is, is taken up again after the last event that came.
 * The address carries its own permission where one is needed, so no key goes along.
 */
import { frames } from "./frames.js";
import { lastingStream } from "./lasting.js";
import { Problem, problemOf } from "./problem.js";

const TERMINAL_TYPES = new Set(["done", "error"]);
/** The server pings every 15 seconds. */
const LONGEST_SILENCE_MS = 40_000;
/** Where the server does not say. */
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 5000;
/** A server that restarts, a train in a tunnel: longer than this they do not take. */
const MOST_MS_WITHOUT_CONTACT = 300_000;
/** Without a connection to keep, the log is looked into at intervals. */
const QUIET_MS = 400;
const LONGEST_LOOK_MS = 2000;
const BETWEEN_LOOKS_MS = 800;

/**
 * @param {string} url the reply's `events_url`
 * @param {{signal?: AbortSignal, after?: number, onLine?: (connected: boolean) => void}} options `after`: the id of an
 *   event, to begin behind it; `onLine` hears of a line cut and healed
 * @yields {{id: number, type: string, data: object}}
 * @throws {Problem} `connection-lost` when no reconnect succeeds; the server's own when it knows no such reply
 */
export async function* replyEvents(url, { signal = new AbortController().signal, after = 0, onLine = () => {} } = {}) {
  let lastId = after;
  let firstPauseMs = FIRST_PAUSE_MS;
  let pauseMs = firstPauseMs;
  let contactAt = performance.now();
  const heard = () => {
    contactAt = performance.now();
    pauseMs = firstPauseMs;
    onLine(true);
  };
  while (!signal.aborted && performance.now() - contactAt < MOST_MS_WITHOUT_CONTACT) {
    const release = await lastingStream();
    try {
      const address = afterEvent(url, lastId);
      for await (const event of connectionEvents(address, { signal, lasting: release !== null, heard })) {
        if (event.id <= lastId) continue;
        lastId = event.id;
        firstPauseMs = event.retry ?? firstPauseMs;
        yield { id: event.id, type: event.type, data: event.data };
        if (TERMINAL_TYPES.has(event.type)) return;
      }
      if (release) throw new Error("The stream ended before the reply did.");
      await pause(BETWEEN_LOOKS_MS, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Problem) throw error;
      onLine(false);
      await pause(pauseMs, signal);
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    } finally {
      release?.();
    }
  }
  if (!signal.aborted) throw new Problem("connection-lost");
}

/**
 * The events of one connection. One that lasts ends with the server, or fails when nothing comes any more; a look into
 * the log ends when it is quiet for a moment, or has taken its time.
 */
async function* connectionEvents(url, { signal, lasting, heard }) {
  const ending = new AbortController();
  const end = () => ending.abort();
  signal.addEventListener("abort", end, { signal: ending.signal });
  let looked = false;
  let look = 0;
  let silence = setTimeout(end, LONGEST_SILENCE_MS);
  const endLook = () => ((looked = true), end());
  const wait = () => {
    clearTimeout(silence);
    silence = lasting ? setTimeout(end, LONGEST_SILENCE_MS) : setTimeout(endLook, QUIET_MS);
  };
  try {
    const response = await fetch(url, {
      headers: { Accept: "text/event-stream" },
      cache: "no-store",
      signal: ending.signal,
    });
    await checkAnswer(response);
    heard();
    wait();
    if (!lasting) look = setTimeout(endLook, LONGEST_LOOK_MS);
    const reader = response.body.getReader();
    const patient = { read: () => reader.read().then((piece) => (wait(), piece)) };
    for await (const frame of frames(patient)) yield { ...frame, id: Number(frame.id), data: JSON.parse(frame.data) };
  } catch (error) {
    if (!looked) throw error;
  } finally {
    clearTimeout(silence);
    clearTimeout(look);
    end();
  }
}

/** What a proxy or a starting server says passes; what the gateway says of this reply stands. */
async function checkAnswer(response) {
  if (response.status === 200) return;
  if (response.status >= 400 && response.status < 500 && response.status !== 429)
    throw problemOf(await response.json().catch(() => null));
  throw new Error(`The events were answered with ${response.status}.`);
}

function afterEvent(url, id) {
  const resumed = new URL(url, globalThis.location?.href);
  if (id > 0) resumed.searchParams.set("after", id);
  return resumed.href;
}

/** Ends early when the browser is back on the net. */
function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const over = new AbortController();
    const end = () => (clearTimeout(timer), over.abort(), resolve());
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener("abort", end, { signal: over.signal });
    globalThis.addEventListener?.("online", end, { signal: over.signal });
  });
}
