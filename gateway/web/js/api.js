/** What the gateway is asked in, its JSON out; anything but success is thrown as a `Problem`. */
import { Problem, problemOf } from "./problem.js";

async function answer(path, options = {}) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Problem("offline");
  }
  const body = await response.json().catch(() => null);
  if (!response.ok) throw problemOf(body);
  return body;
}

/**
 * Asks for a reply; its work has begun when this returns.
 * @param {object} request `messages` or `say`, and optionally `avatar`, `voice`, `language`, `outputs`
 * @returns {Promise<object>} `id`, `events_url`, `video_url`, `eta_seconds`, `starts_in_seconds`
 */
export function askForReply(request) {
  return answer("/v1/replies", {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(request),
  });
}

/** The reply as it stands: running, or ended and still kept. */
export function replyAsItStands(id) {
  return answer(`/v1/replies/${encodeURIComponent(id)}`);
}

/** Stops every stage of a running reply. Never for a finished one: there the same call removes its media. */
export function cancelReply(id) {
  return answer(`/v1/replies/${encodeURIComponent(id)}`, { method: "DELETE", keepalive: true });
}

/** The faces to choose from, the default one first. */
export async function avatars() {
  return defaultFirst((await answer("/v1/avatars")).avatars);
}

/** The language models, the default one first. */
export async function models() {
  return defaultFirst((await answer("/v1/models")).models);
}

/** The voices, in the server's order. */
export async function voices() {
  return (await answer("/v1/voices")).voices;
}

function defaultFirst(choices) {
  return [...choices].sort((one, other) => Number(Boolean(other.default)) - Number(Boolean(one.default)));
}
