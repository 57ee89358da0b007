/**
 * The bytes of a `text/event-stream` in, its events out: `{id, type, data, retry}`.
 *
 * As the HTML standard reads it (section 9.2.6): lines may end in CR, LF or both, comments are skipped, an id holds until
 * the next one, and an event that the end of the stream cuts off is none. Bytes may be split anywhere, even within a
 * character.
 */
/** A CR at the very end may be half of a CR LF. */
const LINE_END = /\r\n|\n|\r(?!$)/;

/**
 * @param {ReadableStreamDefaultReader<Uint8Array>} reader
 * @yields {{id: string, type: string, data: string, retry: number | null}} `retry`: milliseconds, where the server
 *   has said how long to wait before a reconnect
 */
export async function* frames(reader) {
  const decoder = new TextDecoder();
  let rest = "";
  let id = "";
  let retry = null;
  let type = "";
  let data = [];
  const fields = {
    __proto__: null,
    event: (value) => (type = value),
    data: (value) => data.push(value),
    id: (value) => !value.includes("\0") && (id = value),
    retry: (value) => /^\d+$/.test(value) && (retry = Number(value)),
  };
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + decoder.decode(value, { stream: true })).split(LINE_END);
    rest = lines.pop();
    for (const line of lines) {
      if (line !== "") {
        // What begins with a colon names no field: a comment, which keeps the line alive.
        const [, name, text] = line.match(/^([^:]*):? ?(.*)$/s);
        fields[name]?.(text);
        continue;
      }
      if (data.length > 0) yield { id, type: type || "message", data: data.join("\n"), retry };
      type = "";
      data = [];
    }
  }
}
