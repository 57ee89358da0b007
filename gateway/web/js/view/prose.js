/** A reply's text, which grows, in; the same place kept up to date out. */
import { blockNode, blocks } from "./markdown.js";

/** Brings the place up to the text; blocks that have not changed keep their nodes, and with them a selection. */
export function writeProse(place, text) {
  const present = blocks(text);
  present.forEach((block, index) => {
    const before = place.children[index];
    if (before?.dataset.source === block.raw) return;
    const node = blockNode(block);
    node.dataset.source = block.raw;
    if (before) before.replaceWith(node);
    else place.append(node);
  });
  while (place.children.length > present.length) place.lastElementChild.remove();
}
