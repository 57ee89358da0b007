/** A reply's text, which grows, in; the same place kept up to date out. */
import { blockNode, blocks } from "./markdown.js";

/** Nodes, and what each was made of. */
const madeOf = new WeakMap();

/** Brings the place up to the text; blocks that have not changed keep their nodes, and with them a selection. */
export function writeProse(place, text) {
  const present = blocks(text);
  present.forEach((block, index) => {
    const before = place.children[index];
    // Not its words alone: what comes later may give a link its address, or a heading its level.
    const meaning = JSON.stringify(block);
    if (before && madeOf.get(before) === meaning) return;
    const node = blockNode(block);
    madeOf.set(node, meaning);
    if (before) before.replaceWith(node);
    else place.append(node);
  });
  while (place.children.length > present.length) place.lastElementChild.remove();
}
