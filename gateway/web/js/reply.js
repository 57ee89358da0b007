/**
 * A reply, new or kept, in; out come its events, as DOM events of the same names, and exactly one `ended`.
 *
 * `ended` carries `{status: "completed" | "cancelled" | "failed", problem?}`; `line` carries `{connected}`; `created`
 * the reply as the server describes it.
 */
import { Problem, problemOf } from "./problem.js";

export class Reply extends EventTarget {
  #gateway;
  #obtain;
  #stop = new AbortController();
  #created = null;
  #followed = true;

  /** @param {() => Promise<object>} obtain asks the gateway for a new reply, or for one that is there already */
  constructor(gateway, obtain) {
    super();
    this.#gateway = gateway;
    this.#obtain = obtain;
  }

  /** Follows the log from its first event to its end, never throws: how it ended is what `ended` says. */
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

  /** Stops listening at once and asks the server to stop working. */
  cancel() {
    if (!this.#followed) return;
    this.#stop.abort();
    this.#cancelOnServer();
    this.#end({ status: "cancelled" });
  }

  async #follow() {
    // Not abortable: a reply that is asked for and not yet named could not be cancelled on the server.
    this.#created = await this.#obtain();
    const { signal } = this.#stop;
    if (signal.aborted) {
      this.#cancelOnServer();
      return { status: "cancelled" };
    }
    this.#emit("created", this.#created);
    const onLine = (connected) => this.#emit("line", { connected });
    for await (const { type, data } of this.#gateway.events(this.#created, { signal, onLine })) {
      if (type === "error") return { status: "failed", problem: problemOf(data) };
      this.#emit(type, data);
      if (type === "done") return { status: data.status };
    }
    return { status: "cancelled" };
  }

  #cancelOnServer() {
    // What the call cannot reach, the server's own deadline ends.
    if (this.#created?.status === "running") this.#gateway.cancel(this.#created.id).catch(() => {});
  }

  #end(ending) {
    if (!this.#followed) return;
    this.#followed = false;
    this.#emit("ended", ending);
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
