/**
 * A reply's events in, the face that speaks them and the captions under it out.
 *
 * The log is always followed from its first event: a reply that is taken up again after a reload, or watched once
 * more, needs its fragments and its words again.
 */

/**
 * @param {Reply} reply
 * @param {{face: Face, captions: Captions, from?: number}} parts `from`: the second to begin at
 */
export function perform(reply, { face, captions, from = 0 }) {
  const on = (type, listener) => reply.addEventListener(type, ({ detail }) => listener(detail));
  face.hush();
  captions.clear();
  face.think();
  on("created", (created) => face.prepare(created, from));
  on("utterance", (utterance) => captions.add(utterance));
  on("audio_ok", (audio) => face.lasts(audio.duration_seconds));
  on("fragment", (fragment) => face.speak(fragment));
  on("progress", ({ eta_seconds: eta }) => face.estimate(eta));
  on("video_ok", () => face.complete());
}
