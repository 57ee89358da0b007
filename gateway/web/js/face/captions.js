/** Utterances with the times of their words in, one line that follows the speech out. */
const LINE_CHARACTERS = 44;
const WIDE_LINE_CHARACTERS = 22;
/** A line more than this full may end at a comma. */
const EARLY_BREAK = 0.45;
const PAUSE = /[,.;:!?，。；：！？、…]$/;
const WIDE = /[\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]/;

export class Captions {
  #place;
  #video;
  #lines = [];
  #shown = null;
  #frame = 0;

  constructor(place, video) {
    this.#place = place;
    this.#video = video;
  }

  add(utterance) {
    this.#lines.push(...captionLines(utterance));
  }

  /** Follows the video while it speaks. */
  follow(speaking) {
    cancelAnimationFrame(this.#frame);
    if (speaking) this.#frame = requestAnimationFrame(() => this.#step());
    else this.#show(null);
  }

  clear() {
    this.#lines = [];
    this.#show(null);
  }

  #step() {
    const now = this.#video.currentTime;
    this.#show(this.#lines.findLast((line) => line.start <= now) ?? null);
    this.#shown?.words.forEach((word, index) => {
      this.#place.children[index].classList.toggle("is-said", word.start_seconds <= now);
    });
    this.#frame = requestAnimationFrame(() => this.#step());
  }

  #show(line) {
    if (line === this.#shown) return;
    this.#shown = line;
    this.#place.replaceChildren(...(line?.words ?? []).map(wordElement));
  }
}

/** Lines short enough to be read at a glance; an utterance without word times is one line. */
export function captionLines({ text, start_seconds: start, duration_seconds: duration, words = [] }) {
  const timed = words.length > 0 ? words : [{ text, start_seconds: start, end_seconds: start + duration }];
  const limit = WIDE.test(text) ? WIDE_LINE_CHARACTERS : LINE_CHARACTERS;
  const lines = [];
  let length = Infinity;
  for (const word of timed) {
    if (length + word.text.length > limit) {
      lines.push({ start: word.start_seconds, words: [] });
      length = 0;
    }
    lines.at(-1).words.push(word);
    length += word.text.length + (WIDE.test(word.text) ? 0 : 1);
    if (PAUSE.test(word.text) && length > limit * EARLY_BREAK) length = Infinity;
  }
  return lines;
}

function wordElement({ text }, index, words) {
  const element = document.createElement("span");
  const next = words[index + 1]?.text ?? "";
  element.textContent = next === "" || (WIDE.test(text) && WIDE.test(next)) ? text : `${text} `;
  return element;
}
