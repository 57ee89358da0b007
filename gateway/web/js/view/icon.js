/** The name of a drawing in icons.svg in, an element that shows it out. */
const SVG = "http://www.w3.org/2000/svg";

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS(SVG, "use"));
  drawIcon(svg, name);
  return svg;
}

/** Changes the drawing of an icon that is already there. */
export function drawIcon(svg, name) {
  svg.firstElementChild.setAttribute("href", `icons.svg#${name}`);
}
