"""The shipped network and avatar go in, the CPU time of each step of a frame comes out as a Markdown report.

Run it with `python -m tests.benchmark.lipsync_steps [speech.wav]`; without a file the speech is noise.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import av
import numpy as np
from prometheus_client import REGISTRY

from services.lipsync.avatars import folder_bundle, load_avatar
from services.lipsync.cancellation import Cancellation
from services.lipsync.networks import load_network
from services.lipsync.rendering import Speech, render
from services.lipsync.sessions import execution_providers
from services.lipsync.settings import LipsyncSettings
from tests.benchmark.machine import machine_line

STEPS = ("resample", "loop", "mel", "listen", "speak", "composite", "open", "x264", "aac", "mux")
RATE_HZ = 24_000
SAMPLES_PER_UNIT = RATE_HZ // 25 * 8
RUNS = 5


def main() -> None:
    """Prints the medians of five renders after one that warms up."""
    settings = LipsyncSettings()
    providers = execution_providers(["cpu"])
    network = load_network(settings.models_dir / "networks" / settings.network, providers)
    avatar = load_avatar(folder_bundle(settings.models_dir / "avatars" / settings.avatar), providers)
    pcm = _speech(Path(sys.argv[1])) if len(sys.argv) > 1 else _noise()
    speech = Speech(pcm, RATE_HZ, len(pcm) // 2 // SAMPLES_PER_UNIT * 8, start_frame=0)
    rows, first_seconds = [], []
    for _ in range(RUNS + 1):
        before, cpu = _steps(), time.thread_time()
        size = 0
        for number, fragment in enumerate(render(speech, network, avatar, Cancellation())):
            size += len(fragment.data)
            if number == 0:
                first_seconds.append(time.thread_time() - cpu)
        rows.append([after - then for after, then in zip(_steps(), before, strict=True)])
        rows[-1].append(time.thread_time() - cpu)
    milliseconds = np.median(rows[1:], axis=0) / speech.frames * 1000
    print(
        f"# A frame of video, step by step\n\n{machine_line()}. CPU milliseconds per frame of "
        f"{avatar.size.width_px}x{avatar.size.height_px}, medians of {RUNS} runs of {speech.frames} frames.\n"
    )
    print("| step | ms per frame |\n|---|--:|")
    for name, value in zip((*STEPS, "**all**"), milliseconds, strict=True):
        print(f"| {name} | {value:.3f} |")
    print(f"\n{1000 / milliseconds[-1]:.0f} frames per CPU second.")
    print(f"{np.median(first_seconds[1:]) * 1000:.0f} ms of CPU time until the first fragment.")
    print(f"{size * 25 / speech.frames / 1000:.0f} kB per second of video.")


def _steps() -> list[float]:
    name = "visavis_lipsync_step_seconds_total"
    return [REGISTRY.get_sample_value(name, {"step": step}) or 0.0 for step in STEPS]


def _noise() -> bytes:
    noise = np.random.default_rng(0).normal(0, 2000, 31 * SAMPLES_PER_UNIT)
    return bytes(noise.astype("<i2").tobytes())


def _speech(path: Path) -> bytes:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
    with av.open(path, "r") as container:
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    samples = np.concatenate([frame.to_ndarray()[0] for frame in (*frames, *resampler.resample(None))])
    lead = np.zeros(RATE_HZ // 10, np.int16)
    padded = np.concatenate([lead, samples, lead])
    return bytes(np.pad(padded, (0, -len(padded) % SAMPLES_PER_UNIT)).astype("<i2").tobytes())


if __name__ == "__main__":
    main()
