/**
 * The face's two videos in, one small window that floats above other programs out (picture-in-picture).
 *
 * A window shows one video, so it changes over whenever the face begins or ends to speak. Only opening it needs a
 * click: the standard lets a page change what an open one shows.
 */

/** @param {{idle: HTMLVideoElement, speech: HTMLVideoElement}} videos */
export function floatOnDemand(button, face, { idle, speech }) {
  button.hidden = !document.pictureInPictureEnabled;
  // A video of which nothing is known yet cannot float.
  const knowAbility = () => (button.disabled = idle.readyState === HTMLMediaElement.HAVE_NOTHING);
  for (const type of ["loadedmetadata", "emptied"]) idle.addEventListener(type, knowAbility);
  knowAbility();
  const shown = () => (face.speaking ? speech : idle);
  const drawPressed = () => button.setAttribute("aria-pressed", document.pictureInPictureElement !== null);
  button.addEventListener("click", () => {
    const done = document.pictureInPictureElement
      ? document.exitPictureInPicture()
      : shown().requestPictureInPicture();
    // A refusal leaves everything as it was.
    done.catch(() => {});
  });
  face.addEventListener("changed", () => {
    const floating = document.pictureInPictureElement;
    if (floating && floating !== shown()) shown().requestPictureInPicture().catch(() => {});
  });
  for (const video of [idle, speech])
    for (const type of ["enterpictureinpicture", "leavepictureinpicture"]) video.addEventListener(type, drawPressed);
}
