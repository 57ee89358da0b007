/**
 * A problem object (RFC 9457) in, an error with a stable type out.
 *
 * The types are the gateway's; three more are the page's own: `offline`, `connection-lost`, `video-lost`.
 */
export class Problem extends Error {
  /**
   * @param {string} type the last part of the problem's type, such as `rate-limited`
   * @param {string} [detail] the server's own sentence
   */
  constructor(type, detail = "") {
    super(detail || type);
    this.name = "Problem";
    this.type = type;
    this.detail = detail;
  }
}

/** The problem that a problem+json body describes; what cannot be read is `unknown`. */
export function problemOf(body) {
  const type = String(body?.type ?? "").split(/[/:#]/).at(-1);
  return new Problem(type && type !== "blank" ? type : "unknown", String(body?.detail ?? body?.title ?? ""));
}
