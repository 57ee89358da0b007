"""Twenty sentences per language go in, what each embedded voice makes of them comes out as a Markdown report.

Run it with `python -m tests.benchmark.voices [--report FILE]`; it takes about a minute.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from pathlib import Path

import numpy as np

from services.text.spoken import spoken_text
from services.tts.embedded_provider import EmbeddedProvider
from services.tts.espeak_engine import EspeakEngine
from services.tts.pico.engine import PicoEngine
from services.tts.providers import Timing
from services.tts.speech import Chunk, Finished, Order, spoken
from services.tts.voices import Voice
from services.tts.wav import pcm_samples
from tests.benchmark.machine import machine_line
from tests.benchmark.voice_figures import Spoken
from tests.benchmark.voice_sentences import SENTENCES
from tests.benchmark.word_alignment import WordAligner

REPORT = """# The embedded voices

Made by `python -m tests.benchmark.voices`. {machine}.

Twenty sentences for each voice, through all of the speech service but its socket. *Edge silence* is the
longest at either end, below -54 dB of the peak. *Word starts* are compared with PocketSphinx's forced
alignment, in the sentences that it can align. *Real-time factor* is CPU time of one core per second of
speech.
"""
SUMMARY = (
    *("voice", "loudness, LUFS", "highest peak, dBFS", "edge silence, ms"),
    *("ms per character", "word starts off by, ms: median / 90 %; within 50 ms (words)", "real-time factor"),
)
TRANSCRIPTS = """
## Sentence by sentence

As it is written, and as the engine was given it: after the text service took out what cannot be spoken and
the speech service wrote out what its engine would read wrongly (+: another voice goes on). *Pause* is the
longest silence between the ends.
"""
TRANSCRIPT = (
    *(
        "written",
        "given to the engine",
        "s",
        "ms per character",
        "LUFS",
        "peak, dBFS",
        "pause, ms",
        "edges, ms",
    ),
    "word starts off by, ms: median / worst (words)",
)
TRANSCRIBED = ("en", "zh")


def main() -> None:
    """Prints the report, or writes it into a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", type=Path, help="the file to write; else standard output")
    file: Path | None = parser.parse_args().report
    report = asyncio.run(_report())
    if file is None:
        print(report, end="")
    else:
        file.write_text(report, encoding="utf-8")


async def _report() -> str:
    lines = [REPORT.format(machine=machine_line()), *_heading(SUMMARY)]
    transcripts = [TRANSCRIPTS]
    aligner = WordAligner()
    async for language, voice, speeches in _speeches():
        errors = [speech.word_errors_ms(aligner) if language == "en" else [] for speech in speeches]
        lines.append(_row(_summary(voice, speeches, errors)))
        if voice.default and language in TRANSCRIBED:
            rows = [_row(_transcript(*pair)) for pair in zip(speeches, errors, strict=True)]
            transcripts += [f"### {voice.name}\n", *_heading(TRANSCRIPT), *rows, ""]
    return "\n".join([*lines, *transcripts])


async def _speeches() -> AsyncIterator[tuple[str, Voice, Sequence[Spoken]]]:
    provider = EmbeddedProvider((PicoEngine, EspeakEngine), concurrency=1)
    await provider.prepare()
    try:
        for voice in await provider.voices():
            language = next(language for language in SENTENCES if voice.speaks(language))
            yield language, voice, [await _speech(provider, text, voice) for text in SENTENCES[language]]
    finally:
        await provider.close()


async def _speech(provider: EmbeddedProvider, written: str, voice: Voice) -> Spoken:
    text = spoken_text(written)
    begun = time.process_time()
    pcm, words = b"", list[Timing]()
    async with aclosing(spoken(provider, Order(text, voice=voice.name), max_characters=500)) as events:
        async for event in events:
            if isinstance(event, Chunk):
                pcm += event.pcm
            elif isinstance(event, Finished):
                words = list(event.words)
    cpu_seconds = time.process_time() - begun
    given = " + ".join(part.reading.spoken.strip() for part in provider.parts(text, voice))
    return Spoken(written, given, pcm_samples(pcm), words, cpu_seconds)


def _summary(voice: Voice, speeches: Sequence[Spoken], errors: Sequence[list[float]]) -> Sequence[str]:
    loudness = [speech.lufs for speech in speeches]
    pace = [speech.ms_per_character for speech in speeches]
    factor = sum(speech.cpu_seconds for speech in speeches) / sum(speech.seconds for speech in speeches)
    return (
        voice.name,
        f"{min(loudness):.1f} … {max(loudness):.1f}",
        f"{max(speech.peak_dbfs for speech in speeches):.1f}",
        f"{max(speech.edge_ms for speech in speeches):.0f}",
        f"{np.median(pace):.0f} ({min(pace):.0f} … {max(pace):.0f})",
        _word_starts([error for sentence in errors for error in sentence]),
        f"{factor:.3f}",
    )


def _word_starts(errors: Sequence[float]) -> str:
    if not errors:
        return "–"
    middle, most = np.percentile(errors, [50, 90])
    within = np.mean(np.array(errors) <= 50)
    return f"{middle:.0f} / {most:.0f}; {within:.0%} ({len(errors)})"


def _transcript(speech: Spoken, errors: Sequence[float]) -> Sequence[str]:
    return (
        speech.written,
        "the same" if speech.given == speech.written else speech.given,
        f"{speech.seconds:.2f}",
        f"{speech.ms_per_character:.0f}",
        f"{speech.lufs:.1f}",
        f"{speech.peak_dbfs:.1f}",
        f"{speech.pause_ms:.0f}",
        f"{speech.edge_ms:.0f}",
        f"{np.median(errors):.0f} / {max(errors):.0f} ({len(errors)})" if errors else "–",
    )


def _heading(columns: Sequence[str]) -> Sequence[str]:
    return (_row(columns), f"{'|---' * len(columns)}|")


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
