/**
 * A problem object (RFC 9457) in, an error with a stable type out.
 *
 * The types are the gateway's; three more are the page's own: `offline`, `connection-lost`, `video-lost`.
 */
export class Problem extends Error {
  /**
   * @param {string} type the last part of the problem's type, such as `rate-limited`
   * @param {{detail?: string, retryAfterSeconds?: number, traceId?: string}} [more]
   */
  constructor(type, { detail = "", retryAfterSeconds, traceId } = {}) {
    super(detail || type);
    this.name = "Problem";
    this.type = type;
    this.detail = detail;
    this.retryAfterSeconds = retryAfterSeconds;
    this.traceId = traceId;
  }
}

/** The problem that a problem+json body describes; what cannot be read is `unknown`. */
export function problemOf(body, retryAfter) {
  const type = String(body?.type ?? "").split(/[/:#]/).at(-1);
  const seconds = Number(body?.retry_after_seconds ?? retryAfter);
  return new Problem(type && type !== "blank" ? type : "unknown", {
    detail: String(body?.detail ?? body?.title ?? ""),
    retryAfterSeconds: seconds > 0 ? seconds : undefined,
    traceId: body?.trace_id,
  });
}
