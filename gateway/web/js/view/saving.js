/** A conversation in, a Markdown file of it in the user's downloads out. */
import { phrase } from "../i18n/strings.js";

export function saveTranscript(messages) {
  const said = messages
    .filter(({ text }) => text !== "")
    .map(({ role, text }) => `**${phrase(role === "user" ? "you" : "itSaid")}:**\n\n${text}\n`);
  const address = URL.createObjectURL(new Blob([said.join("\n")], { type: "text/markdown" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = `vis-a-vis-${new Date().toISOString().slice(0, 10)}.md`;
  link.click();
  // The download has its own hold on the data once it has begun.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
