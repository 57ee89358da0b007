/**
 * The URL of a reply's event log in, its events out: in order, each once, up to the terminal one.
 *
 * EventSource heals a cut line by itself, from the last id it saw. It gives up when a reconnect is answered by an
 * HTTP error (a gateway that restarts, a proxy without a backend); then a new one takes over from the same id.
 */
import { Problem } from "./problem.js";

const EVENT_TYPES = [
  "accepted",
  "text_delta",
  "text_ok",
  "utterance",
  "audio_ok",
  "fragment",
  "progress",
  "video_ok",
  "done",
  "error",
];
const TERMINAL_TYPES = new Set(["done", "error"]);
const MOST_ATTEMPTS = 8;
const LONGEST_PAUSE_MS = 5000;

/**
 * @param {string} url the reply's `events_url`
 * @param {{signal: AbortSignal, onLine?: (connected: boolean) => void}} options `onLine` hears of a line cut and healed
 * @yields {{id: number, type: string, data: object}}
 * @throws {Problem} `connection-lost` when no reconnect succeeds
 */
export async function* replyEvents(url, { signal, onLine = () => {} }) {
  let lastId = 0;
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
    if (attempt > 0) await pause(Math.min(250 * 2 ** attempt, LONGEST_PAUSE_MS), signal);
    for await (const event of connectionEvents(afterEvent(url, lastId), signal, onLine)) {
      if (event.id <= lastId) continue;
      lastId = event.id;
      attempt = 0;
      yield event;
      if (TERMINAL_TYPES.has(event.type)) return;
    }
    if (signal.aborted) return;
  }
  throw new Problem("connection-lost");
}

/** The events of one EventSource, which lives until it gives up, the signal aborts, or nobody listens any more. */
async function* connectionEvents(url, signal, onLine) {
  const arrived = [];
  let wake = () => {};
  const source = new EventSource(url);
  const close = () => {
    source.close();
    wake();
  };
  const receive = ({ type, data, lastEventId }) => {
    arrived.push({ id: Number(lastEventId), type, data: JSON.parse(data) });
    wake();
  };
  // The log's `error` event and the line's own share a name; only the log's carries data.
  const onError = (event) => {
    if (event.data !== undefined) return receive(event);
    onLine(false);
    return wake();
  };
  for (const type of EVENT_TYPES) source.addEventListener(type, type === "error" ? onError : receive);
  source.addEventListener("open", () => onLine(true));
  signal.addEventListener("abort", close);
  try {
    while (!signal.aborted) {
      while (arrived.length > 0) yield arrived.shift();
      if (source.readyState === EventSource.CLOSED) return;
      await new Promise((resolve) => (wake = resolve));
    }
  } finally {
    signal.removeEventListener("abort", close);
    source.close();
  }
}

function afterEvent(url, id) {
  const resumed = new URL(url, window.location.href);
  if (id > 0) resumed.searchParams.set("after", id);
  return resumed.href;
}

function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
