/**
 * A gateway's address and a key in; what it can be asked out, as methods. Anything but success is thrown as a `Problem`.
 *
 * This module and those it imports need nothing of the page; programs of your own may use them as they are:
 *
 *     import { Gateway } from "http://127.0.0.1:8000/js/gateway.js";
 *     const gateway = new Gateway({ base: "http://127.0.0.1:8000", key: "" });
 *     const reply = await gateway.ask({ messages: [{ role: "user", content: "Tell me about the moon." }] });
 *     for await (const { type, data } of gateway.events(reply)) console.log(type, data);
 *     video.src = gateway.address(reply.video_url);
 *
 * See docs/javascript.md.
 */
import { builtAvatar } from "./building.js";
import { replyEvents } from "./events.js";
import { Problem, problemOf } from "./problem.js";

export { Problem };

export class Gateway {
  #base;
  #key;
  #askForKey;
  #asking = null;

  /**
   * @param {{base?: string, key?: string, askForKey?: (refused: string) => Promise<string>}} [options]
   *   `base`: where the gateway is, if not where the page came from; `key`: an API key of the gateway, if it wants one;
   *   `askForKey`: called with the key that was refused (or ""), for another one to try
   */
  constructor({ base = globalThis.location?.origin ?? "", key = "", askForKey = null } = {}) {
    this.#base = base;
    this.#key = key;
    this.#askForKey = askForKey;
  }

  /** An address that the gateway gave, in full. */
  address(url) {
    return new URL(url, this.#base).href;
  }

  /**
   * Asks for a reply; its work has begun when this returns.
   * @param {object} request the body of `POST /v1/replies`
   * @param {{llmKey?: string}} [options] the caller's own key for the language model; without: the site's
   * @returns {Promise<object>} `id`, `events_url`, `video_url`, `eta_seconds`, `starts_in_seconds` …
   */
  ask(request, { llmKey = "" } = {}) {
    return this.#answer("/v1/replies", { json: request, headers: llmKey ? { "X-LLM-API-Key": llmKey } : {} });
  }

  /**
   * The reply's events, from its first to its terminal one; a line that drops is healed.
   * @param {{events_url: string}} reply
   * @param {{signal?: AbortSignal, after?: number, onLine?: (connected: boolean) => void}} [options] see `events.js`
   */
  events(reply, options) {
    return replyEvents(this.address(reply.events_url), options);
  }

  /** The reply as it stands: running, or ended and still kept. */
  reply(id) {
    return this.#answer(`/v1/replies/${encodeURIComponent(id)}`);
  }

  /** Stops every stage of a running reply; one that has ended is left as it is. */
  cancel(id) {
    return this.#answer(`/v1/replies/${encodeURIComponent(id)}/cancel`, { method: "POST", keepalive: true });
  }

  /** How long the messages are: `{prompt_tokens, context_tokens}`, the latter 0 where the model does not say. */
  countTokens(messages, model, signal) {
    return this.#answer("/v1/tokens", { json: { messages, model }, signal });
  }

  /** Of each stage `serving`, `starting`, `asleep` or `down`. */
  async stages() {
    return (await this.#answer("/readyz")).stages;
  }

  /** The faces to choose from, the default one first. */
  async avatars() {
    return defaultFirst((await this.#answer("/v1/avatars")).avatars);
  }

  /**
   * Makes a face of a portrait, which takes some seconds; aborting `signal` ends the work.
   * @param {{image: Blob, name: string}} portrait one that the caller may use: calling this says so
   * @param {{signal?: AbortSignal, onProgress?: (progress: {step: string, fraction: number}) => void}} [options]
   * @returns {Promise<object>} the avatar
   */
  addAvatar({ image, name }, { signal, onProgress = () => {} } = {}) {
    const form = new FormData();
    form.append("image", image);
    form.append("name", name);
    form.append("consent", "true");
    return this.#answer("/v1/avatars", {
      method: "POST",
      body: form,
      signal,
      headers: { Accept: "text/event-stream" },
      read: (response) => builtAvatar(response, onProgress),
    });
  }

  /** Removes a face that the caller has added. */
  removeAvatar(id) {
    return this.#answer(`/v1/avatars/${encodeURIComponent(id)}`, { method: "DELETE" });
  }

  /** The language models, the default one first. */
  async models() {
    return defaultFirst((await this.#answer("/v1/models")).models);
  }

  /** The voices, in the server's order. */
  async voices() {
    return (await this.#answer("/v1/voices")).voices;
  }

  /** The networks that move the lips, the default one first. */
  async networks() {
    return defaultFirst((await this.#answer("/v1/networks")).networks);
  }

  async #answer(path, options = {}) {
    const key = this.#key;
    try {
      return await this.#answerWith(key, path, options);
    } catch (problem) {
      if (problem.type !== "unauthorized" || !this.#askForKey) throw problem;
      // Of several requests that were refused together, only the first one has to ask.
      if (key === this.#key) {
        this.#asking ??= this.#askForKey(key).finally(() => (this.#asking = null));
        this.#key = await this.#asking;
      }
      return this.#answer(path, options);
    }
  }

  async #answerWith(key, path, { json, headers = {}, read = bodyOf, ...options }) {
    const sent = { Accept: "application/json", ...(key && { Authorization: `Bearer ${key}` }), ...headers };
    if (json) {
      sent["Content-Type"] = "application/json";
      Object.assign(options, { method: "POST", body: JSON.stringify(json) });
    }
    let response;
    try {
      response = await fetch(this.address(path), { ...options, headers: sent });
    } catch (error) {
      if (options.signal?.aborted) throw error;
      throw new Problem("offline");
    }
    if (!response.ok) throw problemOf(await bodyOf(response));
    return read(response);
  }
}

function bodyOf(response) {
  return response.json().catch(() => null);
}

function defaultFirst(choices) {
  return [...choices].sort((one, other) => Number(Boolean(other.default)) - Number(Boolean(one.default)));
}
