/**
 * A reply's text in, DOM nodes out: paragraphs, fenced code, inline code, strong words.
 *
 * Text reaches the page through `textContent` alone, so whatever a model writes stays words.
 */

/**
 * The text cut at its fences and blank lines.
 * @returns {{kind: "paragraph" | "code", text: string, language?: string}[]} an open fence reaches to the end
 */
export function proseBlocks(text) {
  const blocks = [];
  let fence = null;
  let lines = [];
  const close = () => {
    const joined = lines.join("\n");
    if (fence) blocks.push({ kind: "code", text: joined, language: fence.language });
    else if (joined.trim() !== "") blocks.push({ kind: "paragraph", text: joined });
    lines = [];
  };
  for (const line of text.split("\n")) {
    const mark = line.match(/^\s*(```+|~~~+)\s*([\w+#.-]*)\s*$/);
    if (mark && (!fence || (mark[2] === "" && mark[1].startsWith(fence.mark)))) {
      close();
      fence = fence ? null : { mark: mark[1], language: mark[2] };
    } else if (!fence && line.trim() === "") {
      close();
    } else {
      lines.push(line);
    }
  }
  if (lines.length > 0 || fence) close();
  return blocks;
}

/** Brings the place up to the text; blocks that have not changed keep their nodes, and with them a selection. */
export function writeProse(place, text) {
  const blocks = proseBlocks(text);
  blocks.forEach((block, index) => {
    const source = JSON.stringify(block);
    const present = place.children[index];
    if (present?.dataset.source === source) return;
    const node = block.kind === "code" ? codeNode(block) : paragraphNode(block);
    node.dataset.source = source;
    if (present) present.replaceWith(node);
    else place.append(node);
  });
  while (place.children.length > blocks.length) place.lastElementChild.remove();
}

function codeNode({ text, language }) {
  const figure = document.createElement("figure");
  figure.className = "code";
  if (language) figure.append(textNode("figcaption", language));
  const pre = document.createElement("pre");
  pre.tabIndex = 0;
  pre.append(textNode("code", text));
  figure.append(pre);
  return figure;
}

function paragraphNode({ text }) {
  const paragraph = document.createElement("p");
  for (const [, code, strong, plain] of text.matchAll(/`([^`\n]+)`|\*\*([^*\n]+)\*\*|([^`*]+|[`*])/g)) {
    if (code) paragraph.append(textNode("code", code));
    else if (strong) paragraph.append(textNode("strong", strong));
    else paragraph.append(plain);
  }
  return paragraph;
}

function textNode(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}
