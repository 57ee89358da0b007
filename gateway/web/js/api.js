/** What the gateway is asked in, its JSON out; anything but success is thrown as a `Problem`. */
import { Problem, problemOf } from "./problem.js";

const JSON_BODY = { "Content-Type": "application/json", Accept: "application/json" };

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
 * @param {object} request the body of `POST /v1/replies`
 * @param {string} ownKey the caller's own key for the language model; empty: the site's
 * @returns {Promise<object>} `id`, `events_url`, `video_url`, `eta_seconds`, `starts_in_seconds`
 */
export function askForReply(request, ownKey) {
  return answer("/v1/replies", {
    method: "POST",
    headers: { ...JSON_BODY, ...(ownKey && { "X-LLM-API-Key": ownKey }) },
    body: JSON.stringify(request),
  });
}

/** How long the messages are: `{prompt_tokens, context_tokens}`, the latter 0 where the model does not say. */
export function countTokens(messages, model, signal) {
  const body = JSON.stringify({ messages, model });
  return answer("/v1/tokens", { method: "POST", headers: JSON_BODY, body, signal });
}

/** The reply as it stands: running, or ended and still kept. */
export function replyAsItStands(id) {
  return answer(`/v1/replies/${encodeURIComponent(id)}`);
}

/** Stops every stage of a running reply. Never for a finished one: there the same call removes its media. */
export function cancelReply(id) {
  return answer(`/v1/replies/${encodeURIComponent(id)}`, { method: "DELETE", keepalive: true });
}

/** Of each stage `serving`, `starting`, `asleep` or `down`. */
export async function stageHealth() {
  return (await answer("/readyz")).stages;
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
