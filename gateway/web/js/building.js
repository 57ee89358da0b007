/** The event stream of an avatar that is being made in, the avatar out; `onProgress` hears how far it is. */
import { frames } from "./frames.js";
import { Problem, problemOf } from "./problem.js";

/**
 * @param {Response} response of a POST to `/v1/avatars` that asked for `text/event-stream`
 * @param {(progress: {step: string, fraction: number}) => void} onProgress
 * @returns {Promise<object>} the avatar
 * @throws {Problem} the server's refusal; `connection-lost` where the line is cut, which ends the work
 */
export async function builtAvatar(response, onProgress) {
  const reader = response.body.getReader();
  try {
    for await (const { type, data } of frames(reader)) {
      const told = JSON.parse(data);
      if (type === "progress") onProgress(told);
      if (type === "done") return told;
      if (type === "error") throw problemOf(told);
    }
  } catch (error) {
    // So a browser calls a line that breaks.
    if (!(error instanceof TypeError)) throw error;
  } finally {
    reader.cancel().catch(() => {});
  }
  throw new Problem("connection-lost");
}
