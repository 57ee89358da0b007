"""Rendered mouths in, `speak.onnx` and its error on held-out poses out."""

import math
from pathlib import Path

import torch
from torch import Tensor

from services.lipsync.pose import CONTROLS
from services.lipsync.training.decoder import MouthDecoder, ServedDecoder, main_changes
from services.lipsync.training.head_pictures import HeadPictures
from services.lipsync.training.mouth_poses import pose_set

_STEPS = 12_000
_BATCH = 32
_LEARNING_RATE, _WEIGHT_DECAY = 4e-3, 1e-2
_POSE_NOISE = 0.004
_SEED = 5
_OPSET = 17


def trained_speak(pictures: HeadPictures, file: Path) -> float:
    """Train on all mouths but those held out, write `file`, return the PSNR in dB on those."""
    torch.manual_seed(_SEED)
    poses = pose_set()
    mouths = torch.from_numpy(pictures.mouths(len(poses.all))).permute(0, 3, 1, 2).contiguous()
    seen, unseen = mouths[: len(poses.train)], mouths[len(poses.train) :]
    decoder = MouthDecoder(mouths[0], main_changes(seen))
    _fit(decoder, torch.from_numpy(poses.train), seen)
    served = ServedDecoder(decoder).eval()
    with torch.no_grad():
        error = (served(torch.from_numpy(poses.held_out)) - unseen).square().mean().item()
    _export(served, file)
    return -10 * math.log10(error)


def _fit(decoder: MouthDecoder, poses: Tensor, mouths: Tensor) -> None:
    """Teach the shares alone: as patterns are orthogonal, their weighed errors are those of the picture."""
    patterns = decoder.patterns
    energy = patterns.square().sum(1)
    wanted = (mouths - mouths[0]).flatten(1) @ patterns.T / energy
    weight = energy / energy.max()
    optimizer = torch.optim.AdamW(decoder.parameters(), _LEARNING_RATE, weight_decay=_WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _LEARNING_RATE, _STEPS, pct_start=0.1)
    for _ in range(_STEPS):
        chosen = torch.randint(len(poses), (_BATCH,))
        blurred = poses[chosen] + _POSE_NOISE * torch.randn(_BATCH, len(CONTROLS))
        loss = ((decoder.shares(blurred) - wanted[chosen]).square() * weight).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


def _export(served: ServedDecoder, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        served,
        (torch.zeros(2, len(CONTROLS)),),
        str(file),
        input_names=["pose"],
        output_names=["mouth"],
        dynamic_axes={"pose": {0: "n"}, "mouth": {0: "n"}},
        opset_version=_OPSET,
        # Folded, patterns would be stored in 32 bits: the runtime unpacks them once, when it loads the graph.
        do_constant_folding=False,
        dynamo=False,
    )
