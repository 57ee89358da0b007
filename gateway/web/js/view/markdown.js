/**
 * Markdown in, DOM nodes out.
 *
 * The text is only cut into tokens by the library; every node is made here, and words enter it through `textContent`
 * alone. HTML in the text stays words, pictures become links, and links lead nowhere but to the web and to mail.
 */
import { lexer } from "../../vendor/marked/lib/marked.esm.js";
import { copyButton } from "./copying.js";
import { make } from "./make.js";

const SAFE_ADDRESS = /^(https?:|mailto:)/i;
/** The page's own headings are the first two levels. */
const FIRST_LEVEL = 3;

const BLOCKS = {
  paragraph: ({ tokens }) => filled("p", tokens),
  text: (token) => filled("span", token.tokens ?? [token]),
  heading: ({ level = FIRST_LEVEL, tokens }) => filled(`h${Math.min(6, level)}`, tokens),
  blockquote: ({ tokens }) => withBlocks("blockquote", tokens),
  hr: () => make("hr"),
  list: listNode,
  table: tableNode,
  code: codeNode,
};

const SPANS = {
  strong: ({ tokens }) => filled("strong", tokens),
  em: ({ tokens }) => filled("em", tokens),
  del: ({ tokens }) => filled("del", tokens),
  codespan: ({ text }) => make("code", "", text),
  br: () => make("br"),
  checkbox: ({ checked }) => (checked ? "☑ " : "☐ "),
  escape: ({ text }) => text,
  link: ({ href, tokens }) => linkNode(href, tokens),
  image: ({ href, tokens }) => linkNode(href, tokens),
  text: ({ tokens, text }) => (tokens ? filled("span", tokens) : text),
};

/** The text's top-level blocks, in order. */
export function blocks(text) {
  const tokens = lexer(text, { gfm: true, breaks: true }).filter(({ type }) => type !== "space" && type !== "def");
  const top = Math.min(...tokens.map(({ depth }) => depth ?? Infinity));
  // Whatever depth a reply begins with, no level is left out: readers by ear jump from heading to heading.
  return tokens.map((token) => ("depth" in token ? { ...token, level: token.depth - top + FIRST_LEVEL } : token));
}

/** The words alone, for those who listen. */
export function wordsOf(text) {
  return blocks(text).map((block) => blockNode(block).textContent).join("\n");
}

/** One block as an element. */
export function blockNode(token) {
  const node = BLOCKS[token.type];
  // HTML, and whatever a later version of the library may find: as it was written.
  return node ? node(token) : make("p", "", token.raw);
}

function spanNode(token) {
  const node = SPANS[token.type];
  return node ? node(token) : token.raw;
}

function filled(tag, tokens) {
  const element = make(tag);
  element.append(...tokens.map(spanNode));
  return element;
}

function withBlocks(tag, tokens) {
  const element = make(tag);
  element.append(...tokens.filter(({ type }) => type !== "space").map(itemNode));
  return element;
}

function itemNode(token) {
  return token.type === "checkbox" ? spanNode(token) : blockNode(token);
}

function listNode({ ordered, start, items }) {
  const list = make(ordered ? "ol" : "ul");
  if (ordered && start > 1) list.start = start;
  list.append(...items.map(({ tokens }) => withBlocks("li", tokens)));
  return list;
}

function tableNode({ header, rows }) {
  const table = make("table");
  table.append(rowNode("th", header), ...rows.map((row) => rowNode("td", row)));
  const frame = make("div", "table");
  frame.tabIndex = 0;
  frame.append(table);
  return frame;
}

function rowNode(tag, cells) {
  const row = make("tr");
  row.append(...cells.map(({ tokens }) => filled(tag, tokens)));
  return row;
}

function codeNode({ text, lang }) {
  const figure = make("figure", "code");
  const caption = make("figcaption");
  caption.append(make("span", "", lang ?? ""), copyButton(() => text));
  const pre = make("pre");
  pre.tabIndex = 0;
  pre.append(make("code", "", text));
  figure.append(caption, pre);
  return figure;
}

function linkNode(href, tokens) {
  if (!SAFE_ADDRESS.test(href)) return filled("span", tokens);
  const link = filled("a", tokens);
  link.href = href;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  return link;
}
