/** Files that are dropped on the page, or pasted into it, in; the first picture or clip among them out. */
const SHOWABLE = /^(image|video)\//;

/** @param {(file: File) => void} onPortrait called with it; `root` has the class `dropping` while files hover over it */
export function takeDroppedPortraits(root, onPortrait) {
  const holdsFiles = ({ dataTransfer }) => dataTransfer?.types.includes("Files");
  let depth = 0;
  const mark = (change) => (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    depth = Math.max(0, depth + change);
    root.classList.toggle("dropping", depth > 0);
  };
  root.addEventListener("dragenter", mark(1));
  root.addEventListener("dragleave", mark(-1));
  // Unless it is prevented here too, the browser leaves the page to show the file.
  root.addEventListener("dragover", mark(0));
  root.addEventListener("drop", (event) => {
    mark(-depth)(event);
    offer(event.dataTransfer);
  });
  root.addEventListener("paste", (event) => {
    // Word processors put a picture of the words beside the words.
    const isText = event.clipboardData.types.includes("text/plain");
    if (!isText && offer(event.clipboardData)) event.preventDefault();
  });

  function offer(transfer) {
    const file = [...(transfer?.files ?? [])].find(({ type }) => SHOWABLE.test(type));
    if (file) onPortrait(file);
    return Boolean(file);
  }
}
