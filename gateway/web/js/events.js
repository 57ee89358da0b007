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
/** Without the right to a connection that lasts, the log is looked into at intervals. */
const BETWEEN_LOOKS_MS = 700;
const NOTHING_MORE = new Error("All events have been heard.");

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
  let lostAt = null;
  const heard = () => {
    lostAt = null;
    pauseMs = firstPauseMs;
    onLine(true);
  };
  while (!signal.aborted && (lostAt === null || performance.now() - lostAt < MOST_MS_WITHOUT_CONTACT)) {
    const release = await lastingStream();
    try {
      const address = eventsAfter(url, lastId, release !== null);
      for await (const event of connectionEvents(address, { signal, heard })) {
        if (event.id <= lastId) continue;
        lastId = event.id;
        firstPauseMs = event.retry ?? firstPauseMs;
        yield { id: event.id, type: event.type, data: event.data };
        if (TERMINAL_TYPES.has(event.type)) return;
      }
      if (release) throw new Error("The stream ended before the reply did.");
      await pause(BETWEEN_LOOKS_MS, signal);
    } catch (error) {
      if (signal.aborted || error === NOTHING_MORE) return;
      if (error instanceof Problem) throw error;
      lostAt ??= performance.now();
      onLine(false);
      await pause(pauseMs, signal);
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    } finally {
      release?.();
    }
  }
  if (!signal.aborted) throw new Problem("connection-lost");
}

/** The events of one connection, until the server ends it; one on which nothing comes any more has failed. */
async function* connectionEvents(url, { signal, heard }) {
  const ending = new AbortController();
  const end = () => ending.abort();
  signal.addEventListener("abort", end, { signal: ending.signal });
  let silence = setTimeout(end, LONGEST_SILENCE_MS);
  const wait = () => {
    clearTimeout(silence);
    silence = setTimeout(end, LONGEST_SILENCE_MS);
  };
  try {
    const response = await fetch(url, {
      headers: { Accept: "text/event-stream" },
      cache: "no-store",
      signal: ending.signal,
    });
    await checkAnswer(response);
    heard();
    const reader = response.body.getReader();
    const watched = { read: () => reader.read().finally(wait) };
    for await (const frame of frames(watched)) yield { ...frame, id: Number(frame.id), data: JSON.parse(frame.data) };
  } finally {
    clearTimeout(silence);
    end();
  }
}

/** What a proxy or a starting server says passes; what the gateway says of this reply stands. */
async function checkAnswer(response) {
  if (response.status === 200) return;
  if (response.status === 204) throw NOTHING_MORE;
  if (response.status >= 400 && response.status < 500 && response.status !== 429)
    throw problemOf(await response.json().catch(() => null));
  throw new Error(`The events were answered with ${response.status}.`);
}

/** Where what follows that event is told; what there is of it so far, unless the connection may last. */
function eventsAfter(url, id, lasting) {
  const address = new URL(url, globalThis.location?.href);
  if (id > 0) address.searchParams.set("after", id);
  if (!lasting) address.searchParams.set("wait", "0");
  return address.href;
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
