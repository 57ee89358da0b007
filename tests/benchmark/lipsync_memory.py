"""A worker and many utterances go in, how much memory it holds and whether that grows come out, in Markdown.

Run it with `python -m tests.benchmark.lipsync_memory`. Two sessions ask at once, for 0.3 to 20 s of speech by
all avatars that ship and by portraits that are handed over: by more than the worker keeps.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from visavis.rpc.channel import open_channel
from visavis.rpc.failures import Failure, FailureType, calling
from visavis.rpc.settings import TlsSettings
from visavis.v1 import lipsync_pb2, lipsync_pb2_grpc

from services.lipsync.avatars import zip_bundle
from services.lipsync.portrait.bundle import portrait_bundle
from services.lipsync.portrait.face_models import face_models
from services.lipsync.settings import LipsyncSettings
from tests.benchmark.machine import machine_line
from tests.e2e.stack import free_port
from tests.fakes import portraits
from tests.fakes.lipsync_worker import Worker, animated, tone

SESSIONS, PORTRAITS = 2, 3
MOST_MEGABYTES = 400
WARM_UP_SHARE = 0.2
# Most utterances are short; a few fill a paragraph.
FRAMES = (8, 24, 40, 48, 64, 80, 120, 200, 496)
WEIGHTS = (6, 10, 16, 16, 12, 8, 6, 3, 1)


@dataclass
class Seen:
    """Resident megabytes after each utterance, and how many frames were made."""

    megabytes: list[float] = field(default_factory=list)
    frames: int = 0


def main() -> None:
    """Prints the report; fails where the worker holds more than 400 MB or goes on growing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--utterances", type=int, default=500)
    parser.add_argument("--slots", type=int, default=1, help="renders at once; sessions wait for a free one")
    given = parser.parse_args()
    utterances, slots = given.utterances, given.slots
    with tempfile.TemporaryDirectory() as folder, worker_process(Path(folder), slots) as (process, address):
        seen, start = asyncio.run(measured(process.pid, address, utterances))
    warm = seen.megabytes[int(WARM_UP_SHARE * len(seen.megabytes)) :]
    slope = float(np.polyfit(np.arange(len(warm)), warm, 1)[0]) * 100
    print(
        f"# The memory of a video worker\n\n{machine_line()}. {utterances} utterances ({seen.frames} "
        f"frames), {SESSIONS} sessions at once, slots: {slots}, all shipped avatars, {PORTRAITS} portraits. "
        "Resident memory (VmRSS, shared libraries included), MB.\n"
    )
    print("| serving | after the first fifth | median from there | most | slope per 100 utterances |")
    print("|--:|--:|--:|--:|--:|")
    most = max(seen.megabytes)
    print(f"| {start:.0f} | {warm[0]:.0f} | {statistics.median(warm):.0f} | {most:.0f} | {slope:+.1f} |")
    if most > MOST_MEGABYTES:
        sys.exit(f"The worker held more than {MOST_MEGABYTES} MB.")


@contextmanager
def worker_process(folder: Path, slots: int) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A worker as it is deployed, and its address. Its models are a copy: ours may change meanwhile."""
    address = f"127.0.0.1:{free_port()}"
    models = shutil.copytree(LipsyncSettings().models_dir, folder / "models")
    environment = os.environ | {
        "LIPSYNC_LISTEN": address,
        "LIPSYNC_SLOTS": str(slots),
        "LIPSYNC_MODELS_DIR": str(models),
    }
    with (folder / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.lipsync"], env=environment, stdout=log, stderr=log
        )
        try:
            yield process, address
        finally:
            process.terminate()
            process.wait()


async def measured(pid: int, address: str, utterances: int) -> tuple[Seen, float]:
    """What was seen, and how much the worker held before it was asked for anything."""
    bundles = handed_over()
    channel = open_channel(address, TlsSettings())
    try:
        await asyncio.wait_for(channel.channel_ready(), 120)
        worker: Worker = lipsync_pb2_grpc.LipsyncServiceStub(channel)
        listed = await worker.ListAvatars(lipsync_pb2.ListAvatarsRequest())
        start = resident_megabytes(pid)
        hashes = [avatar.hash for avatar in listed.avatars] + list(bundles)
        chance = random.Random(0)
        work = [
            (chance.choice(hashes), chance.choices(FRAMES, WEIGHTS)[0], chance.randrange(200) * 8)
            for _ in range(utterances)
        ]
        seen = Seen()
        places = iter(work)

        async def session() -> None:
            for avatar_hash, frames, start_frame in places:
                await spoken(worker, bundles, avatar_hash, frames, start_frame)
                seen.megabytes.append(resident_megabytes(pid))
                seen.frames += frames
                if len(seen.megabytes) % 25 == 0:
                    print(f"{len(seen.megabytes)}: {seen.megabytes[-1]:.0f} MB", file=sys.stderr)

        await asyncio.gather(*(session() for _ in range(SESSIONS)))
        return seen, start
    finally:
        await channel.close()


async def spoken(
    worker: Worker, bundles: dict[str, bytes], avatar_hash: str, frames: int, start_frame: int
) -> None:
    """One utterance; does what the gateway does when the worker lacks the avatar."""
    while True:
        try:
            with calling("video"):
                await animated(worker, tone(frames, hz=180), avatar_hash=avatar_hash, start_frame=start_frame)
        except Failure as failure:
            if failure.type is FailureType.AVATAR_MISSING:
                await put(worker, bundles[avatar_hash], avatar_hash)
            elif failure.type is FailureType.BUSY:
                await asyncio.sleep(failure.retry_after_seconds or 0)
            else:
                raise
        else:
            return


async def put(worker: Worker, bundle: bytes, avatar_hash: str) -> None:
    """Hands a bundle over; another session may be doing the same."""

    def requests() -> Iterator[lipsync_pb2.PutAvatarRequest]:
        start = lipsync_pb2.PutAvatarStart(avatar_hash=avatar_hash, byte_count=len(bundle))
        yield lipsync_pb2.PutAvatarRequest(start=start)
        for place in range(0, len(bundle), 60_000):
            yield lipsync_pb2.PutAvatarRequest(chunk=bundle[place : place + 60_000])

    try:
        with calling("video"):
            await worker.PutAvatar(requests())
    except Failure as failure:
        if failure.type is not FailureType.BUSY:
            raise


def handed_over() -> dict[str, bytes]:
    """Bundles of portraits by hash, made here: nothing of that counts as the worker's."""
    photos = [portraits.face(), portraits.darker(), portraits.bearded()][:PORTRAITS]
    bundles = [
        portrait_bundle(portraits.encoded(photo), f"p{number}", face_models(), lambda _, __: None)
        for number, photo in enumerate(photos)
    ]
    return {zip_bundle(bundle, 64 << 20).hash: bundle for bundle in bundles}


def resident_megabytes(pid: int) -> float:
    """VmRSS of a process, in units of a million bytes."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    kibibytes = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
    return kibibytes * 1024 / 1e6


if __name__ == "__main__":
    main()
