/**
 * A request in; out come the reply's events, as DOM events of the same names, and exactly one `ended`.
 *
 * `ended` carries `{status: "completed" | "cancelled" | "failed", problem?}`; `line` carries `{connected}`.
 */
import { askForReply, cancelReply } from "./api.js";
import { replyEvents } from "./events.js";
import { Problem, problemOf } from "./problem.js";

export class Reply extends EventTarget {
  #request;
  #stop = new AbortController();
  #created = null;
  #running = true;

  constructor(request) {
    super();
    this.#request = request;
  }

  /** Asks, follows the log to its end, never throws: how it ended is what `ended` says. */
  async run() {
    let ending;
    try {
      ending = await this.#follow();
    } catch (error) {
      const problem = error instanceof Problem ? error : new Problem("unknown", String(error?.message));
      ending = { status: "failed", problem };
    }
    this.#end(this.#stop.signal.aborted ? { status: "cancelled" } : ending);
  }

  /** Stops listening at once and asks the server to stop working; a reply that has ended is left alone. */
  cancel() {
    if (!this.#running) return;
    this.#stop.abort();
    if (this.#created) this.#cancelOnServer();
    this.#end({ status: "cancelled" });
  }

  async #follow() {
    // Not abortable: a reply that is asked for and not yet named could not be cancelled on the server.
    this.#created = await askForReply(this.#request);
    const { signal } = this.#stop;
    if (signal.aborted) {
      this.#cancelOnServer();
      return { status: "cancelled" };
    }
    this.#emit("created", this.#created);
    const onLine = (connected) => this.#emit("line", { connected });
    for await (const { type, data } of replyEvents(this.#created.events_url, { signal, onLine })) {
      if (type === "error") return { status: "failed", problem: problemOf(data) };
      this.#emit(type, data);
      if (type === "done") return { status: data.status };
    }
    return { status: "cancelled" };
  }

  #cancelOnServer() {
    // The server's own deadline ends what this call cannot reach.
    cancelReply(this.#created.id).catch(() => {});
  }

  #end(ending) {
    if (!this.#running) return;
    this.#running = false;
    this.#emit("ended", ending);
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
