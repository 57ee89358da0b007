/**
 * The wish for a connection that lasts in, the right to one out, shared with all tabs of this browser.
 *
 * Over HTTP/1.1 a browser opens six connections to one host, for all its tabs together. Streams that last must leave
 * some of them to everything else; who gets no right looks in at intervals instead.
 */
const MOST_LASTING = 3;
const NOTHING = () => {};

/** @returns {Promise<(() => void) | null>} gives the right back when called; null where the other tabs have them all */
export async function lastingStream() {
  // Only browsers have tabs; from pages without TLS they hide the locks, and with them what the other tabs do.
  if (!globalThis.document || !navigator.locks || isMultiplexed()) return NOTHING;
  for (let place = 0; place < MOST_LASTING; place += 1) {
    const release = await lockIfFree(`visavis.stream.${place}`);
    if (release) return release;
  }
  return null;
}

/** From HTTP/2 on, all requests share one connection. */
function isMultiplexed() {
  const [page] = performance.getEntriesByType("navigation");
  return /^h[23]/.test(page?.nextHopProtocol ?? "");
}

function lockIfFree(name) {
  return new Promise((resolve) => {
    navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      if (lock === null) return resolve(null);
      return new Promise((release) => resolve(release));
    });
  });
}
