"""Twenty sentences per language go in, what each embedded voice makes of them comes out as a Markdown report.

Run it with `python -m tests.benchmark.voices`; it takes about a minute.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.tts.__main__ import chosen_provider
from services.tts.loudness import loudness_lufs
from services.tts.mastering import SAMPLE_RATE_HZ
from services.tts.providers import SpeechProvider, Timing
from services.tts.settings import ProviderChoice, TtsSettings
from services.tts.speech import Chunk, Finished, Order, spoken
from services.tts.wav import pcm_samples
from tests.benchmark.machine import machine_line
from tests.benchmark.voice_sentences import SENTENCES
from tests.benchmark.word_alignment import WordAligner

REPORT = """# The embedded voices

{machine}. Twenty sentences for each voice, through all of the speech service but its socket.
*Edge silence* is the longest at either end, below -54 dB of the peak. *Word starts* are compared with
PocketSphinx's forced alignment, in the sentences that it can align. *Real-time factor* is CPU time of
one core per second of speech.
"""
COLUMNS = (
    *("voice", "loudness, LUFS", "highest peak, dBFS", "edge silence, ms"),
    *("ms per character", "word starts off by, ms: median / 90 %; within 50 ms (words)", "real-time factor"),
)
_AUDIBLE = 0.002


@dataclass(frozen=True, slots=True)
class Spoken:
    """One sentence as a voice said it."""

    text: str
    waveform: NDArray[np.float32]
    words: Sequence[Timing]
    cpu_seconds: float

    @property
    def seconds(self) -> float:
        """The speech's length."""
        return self.waveform.size / SAMPLE_RATE_HZ


def main() -> None:
    """Prints the report."""
    print(REPORT.format(machine=machine_line()))
    print(f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|")
    asyncio.run(_print_rows())


async def _print_rows() -> None:
    provider = chosen_provider(TtsSettings(provider=ProviderChoice.EMBEDDED))
    aligner = WordAligner()
    await provider.prepare()
    try:
        for voice in await provider.voices():
            language = next(language for language in SENTENCES if voice.speaks(language))
            speeches = [await _speech(provider, text, voice.name) for text in SENTENCES[language]]
            print(_row(voice.name, speeches, aligner if language == "en" else None), flush=True)
    finally:
        await provider.close()


async def _speech(provider: SpeechProvider, text: str, voice: str) -> Spoken:
    begun = time.process_time()
    pcm, words = b"", list[Timing]()
    async with aclosing(spoken(provider, Order(text, voice=voice), longest_characters=500)) as events:
        async for event in events:
            if isinstance(event, Chunk):
                pcm += event.pcm
            elif isinstance(event, Finished):
                words = list(event.words)
    return Spoken(text, pcm_samples(pcm), words, time.process_time() - begun)


def _row(voice: str, speeches: Sequence[Spoken], aligner: WordAligner | None) -> str:
    loudness = [loudness_lufs(speech.waveform, SAMPLE_RATE_HZ) for speech in speeches]
    peak = 20 * np.log10(max(np.abs(speech.waveform).max() for speech in speeches))
    edge = max(_edge_seconds(speech.waveform) for speech in speeches)
    pace = [speech.seconds / len(re.findall(r"\S", speech.text)) * 1000 for speech in speeches]
    factor = sum(speech.cpu_seconds for speech in speeches) / sum(speech.seconds for speech in speeches)
    cells = (
        voice,
        f"{min(loudness):.1f} … {max(loudness):.1f}",
        f"{peak:.1f}",
        f"{edge * 1000:.0f}",
        f"{np.median(pace):.0f} ({min(pace):.0f} … {max(pace):.0f})",
        _alignment(speeches, aligner) if aligner else "–",
        f"{factor:.3f}",
    )
    return f"| {' | '.join(cells)} |"


def _edge_seconds(waveform: NDArray[np.float32]) -> float:
    audible = np.flatnonzero(np.abs(waveform) > _AUDIBLE * np.abs(waveform).max())
    return float(max(audible[0], waveform.size - 1 - audible[-1])) / SAMPLE_RATE_HZ


def _alignment(speeches: Sequence[Spoken], aligner: WordAligner) -> str:
    errors: list[float] = []
    for speech in speeches:
        starts = aligner.starts_seconds(speech.text, speech.waveform, SAMPLE_RATE_HZ)
        ours = [word.start_seconds for word in speech.words]
        if len(starts) == len(ours):
            errors += [abs(a - b) * 1000 for a, b in zip(starts, ours, strict=True)]
    middle, most = np.percentile(errors, [50, 90])
    within = np.mean(np.array(errors) <= 50)
    return f"{middle:.0f} / {most:.0f}; {within:.0%} ({len(errors)})"


if __name__ == "__main__":
    main()
