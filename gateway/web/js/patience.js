/** A question that a server which is still starting cannot answer in, its answer out as soon as there is one. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8000;

/**
 * @param {() => Promise<any>} ask
 * @param {() => void} [onDelay] called once, when the first attempt fails
 */
export async function patiently(ask, onDelay = () => {}) {
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 1.6, LONGEST_PAUSE_MS)) {
    try {
      return await ask();
    } catch {
      if (pause === FIRST_PAUSE_MS) onDelay();
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}
