"""A worker and many utterances go in, how much memory it holds and whether that grows come out, in Markdown.

Run it with `python -m tests.benchmark.lipsync_memory`. Two sessions ask at once, for 0.3 to 20 s of speech by
all avatars that ship and by portraits that are handed over: by more than the worker keeps. With `--imported`
an imported Wav2Lip network of random weights draws every second of them.
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
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

import numpy as np
from visavis.rpc.channel import open_channel
from visavis.rpc.failures import Failure, FailureType, calling
from visavis.rpc.settings import TlsSettings
from visavis.v1 import lipsync_pb2, lipsync_pb2_grpc

from services.lipsync.avatars import zip_bundle
from services.lipsync.portrait.bundle import portrait_bundle
from services.lipsync.portrait.face_models import face_models
from services.lipsync.settings import LipsyncSettings
from services.lipsync.training.network_import import Description, imported_network
from tests.benchmark.machine import machine_line
from tests.fakes import portraits
from tests.fakes.lipsync_worker import Worker, animated, tone
from tests.fakes.ports import free_port
from tests.fakes.wav2lip_network import random_tensors, write_checkpoint

SESSIONS, PORTRAITS = 2, 3
MOST_MEGABYTES = 400
# Its weights are 116 MB in the processor's layout; every picture on the way to a mouth needs room, too.
IMPORTED_MEGABYTES = 200
WARM_UP_SHARE = 0.2
# Most utterances are short; a few fill a paragraph.
FRAMES = (8, 24, 40, 48, 64, 80, 120, 200, 496)
WEIGHTS = (6, 10, 16, 16, 12, 8, 6, 3, 1)


class Order(NamedTuple):
    """One utterance that a session asks for."""

    avatar_hash: str
    frames: int
    start_frame: int
    network: str


@dataclass
class Seen:
    """Resident megabytes after each utterance, and how many frames were made."""

    megabytes: list[float] = field(default_factory=list)
    frames: int = 0


def main() -> None:
    """Prints the report; fails where the worker holds more than 400 MB, or 600 with an imported network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--utterances", type=int, default=500)
    parser.add_argument("--slots", type=int, default=1, help="renders at once; sessions wait for a free one")
    parser.add_argument("--imported", action="store_true", help="with an imported network beside ours")
    given = parser.parse_args()
    utterances, slots = given.utterances, given.slots
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        networks = ["", imported(folder)] if given.imported else [""]
        with worker_process(folder, slots) as (process, address):
            seen, start = asyncio.run(measured(process.pid, address, utterances, networks))
    warm = seen.megabytes[int(WARM_UP_SHARE * len(seen.megabytes)) :]
    slope = float(np.polyfit(np.arange(len(warm)), warm, 1)[0]) * 100
    print(
        f"# The memory of a video worker\n\n{machine_line()}. {utterances} utterances ({seen.frames} "
        f"frames), {SESSIONS} sessions at once, slots: {slots}, all shipped avatars, {PORTRAITS} portraits"
        f"{', every second one by an imported network' if given.imported else ''}. "
        "Resident memory (VmRSS, shared libraries included), MB.\n"
    )
    print("| serving | after the first fifth | median from there | most | slope per 100 utterances |")
    print("|--:|--:|--:|--:|--:|")
    most = max(seen.megabytes)
    print(f"| {start:.0f} | {warm[0]:.0f} | {statistics.median(warm):.0f} | {most:.0f} | {slope:+.1f} |")
    allowed = MOST_MEGABYTES + (IMPORTED_MEGABYTES if given.imported else 0)
    if most > allowed:
        sys.exit(f"The worker held more than {allowed} MB.")


def imported(folder: Path) -> str:
    """The name of a network of random weights, imported to where the worker finds it."""
    checkpoint = write_checkpoint(folder / "random.pth", random_tensors())
    description = Description("random", fmin_hz=55, offset_seconds=-0.04, licence="none")
    imported_network(checkpoint, description, folder / "networks" / description.name)
    return description.name


@contextmanager
def worker_process(folder: Path, slots: int) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A worker as it is deployed, and its address. Its models are a copy: ours may change meanwhile."""
    address = f"127.0.0.1:{free_port()}"
    models = shutil.copytree(LipsyncSettings().models_dir, folder / "models")
    environment = os.environ | {
        "LIPSYNC_LISTEN": address,
        "LIPSYNC_SLOTS": str(slots),
        "LIPSYNC_MODELS_DIR": str(models),
        "LIPSYNC_NETWORKS_DIR": str(folder / "networks"),
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


async def measured(pid: int, address: str, utterances: int, networks: list[str]) -> tuple[Seen, float]:
    """What was seen, and how much the worker held before it was asked for anything; `networks` take turns."""
    bundles = handed_over()
    channel = open_channel(address, TlsSettings())
    try:
        await asyncio.wait_for(channel.channel_ready(), 120)
        worker: Worker = lipsync_pb2_grpc.LipsyncServiceStub(channel)
        listed = await worker.ListAvatars(lipsync_pb2.ListAvatarsRequest())
        start = resident_megabytes(pid)
        hashes = [avatar.hash for avatar in listed.avatars] + list(bundles)
        chance = random.Random(0)
        orders = [
            Order(
                chance.choice(hashes), chance.choices(FRAMES, WEIGHTS)[0], chance.randrange(200) * 8, network
            )
            for _, network in zip(range(utterances), cycle(networks), strict=False)
        ]
        seen = Seen()
        waiting = iter(orders)

        async def session() -> None:
            for order in waiting:
                await spoken(worker, bundles, order)
                seen.megabytes.append(resident_megabytes(pid))
                seen.frames += order.frames
                if len(seen.megabytes) % 25 == 0:
                    print(f"{len(seen.megabytes)}: {seen.megabytes[-1]:.0f} MB", file=sys.stderr)

        await asyncio.gather(*(session() for _ in range(SESSIONS)))
        return seen, start
    finally:
        await channel.close()


async def spoken(worker: Worker, bundles: dict[str, bytes], order: Order) -> None:
    """One utterance; does what the gateway does when the worker lacks the avatar."""
    while True:
        try:
            with calling("video"):
                await animated(
                    worker,
                    tone(order.frames, hz=180),
                    avatar_hash=order.avatar_hash,
                    start_frame=order.start_frame,
                    network=order.network,
                )
        except Failure as failure:
            if failure.type is FailureType.AVATAR_MISSING:
                await put(worker, bundles[order.avatar_hash], order.avatar_hash)
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
