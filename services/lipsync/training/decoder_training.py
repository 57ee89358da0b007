"""Rendered mouths in, `speak.onnx` and its error on held-out poses out."""

import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from services.lipsync.training.decoder import PATTERNS, MouthDecoder, ServedDecoder
from services.lipsync.training.framing import MOUTH_PX
from services.lipsync.training.head_pictures import HeadPictures, oval
from services.lipsync.training.mouth_poses import HELD_OUT_POSES, POSE_SEED, pose_set

_STEPS_PER_POSE = 8
_BATCH = 12
_LEARNING_RATE = 2e-3
_POSE_NOISE = 0.008
_GRADIENT_SHARE = 0.5  # of the loss on differences of neighbouring pixels, which keeps teeth and lips sharp
_SEED = 5
_OPSET = 17


def trained_speak(pictures: HeadPictures, count: int, file: Path) -> float:
    """Train on `count` mouths but those held out, write `file`, return the PSNR in dB on those."""
    torch.manual_seed(_SEED)
    poses = pose_set(count - HELD_OUT_POSES, HELD_OUT_POSES, POSE_SEED)
    mouths = torch.from_numpy(pictures.mouths(len(poses.all))).permute(0, 3, 1, 2).contiguous()
    seen, unseen = mouths[: len(poses.train)], mouths[len(poses.train) :]
    decoder = MouthDecoder(mouths[0], torch.from_numpy(oval(MOUTH_PX, MOUTH_PX)), _main_changes(seen))
    _fit(decoder, torch.from_numpy(poses.train), seen, _STEPS_PER_POSE * count)
    served = ServedDecoder(decoder).eval()
    with torch.no_grad():
        error = (served(torch.from_numpy(poses.held_out)) - unseen).square().mean().item()
    _export(served, file)
    return -10 * math.log10(error)


def _fit(decoder: MouthDecoder, poses: Tensor, mouths: Tensor, steps: int) -> None:
    weight = _attention(mouths)
    optimizer = torch.optim.AdamW(decoder.parameters(), _LEARNING_RATE, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _LEARNING_RATE, steps, pct_start=0.05)
    for _ in range(steps):
        chosen = torch.randint(len(poses), (_BATCH,))
        loss = _loss(
            decoder(poses[chosen] + _POSE_NOISE * torch.randn(_BATCH, poses.shape[1])), mouths[chosen], weight
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


def _main_changes(mouths: Tensor) -> Tensor:
    """(PATTERNS,3*S*S) principal components of the changes, each scaled to what it typically contributes."""
    changes = (mouths - mouths[0]).flatten(1)
    _, strengths, directions = torch.linalg.svd(changes - changes.mean(0), full_matrices=False)
    spread: Tensor = strengths[:PATTERNS, None] / math.sqrt(len(mouths))
    return spread * directions[:PATTERNS]


def _attention(mouths: Tensor) -> Tensor:
    """(1,1,S,S) weight of each pixel, mean 1: more where mouths differ."""
    variation = mouths.std(0).mean(0)
    weight = 0.3 + 2.5 * (variation / variation.max()).sqrt()
    return (weight / weight.mean())[None, None]


def _loss(drawn: Tensor, wanted: Tensor, weight: Tensor) -> Tensor:
    error = drawn - wanted
    across = (error[..., 1:] - error[..., :-1]).abs() * weight[..., 1:]
    along = (error[..., 1:, :] - error[..., :-1, :]).abs() * weight[..., 1:, :]
    return (error.abs() * weight).mean() + _GRADIENT_SHARE * (across.mean() + along.mean())


def _export(served: ServedDecoder, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        served,
        (torch.from_numpy(np.zeros((2, 7), np.float32)),),
        str(file),
        input_names=["pose"],
        output_names=["mouth"],
        dynamic_axes={"pose": {0: "n"}, "mouth": {0: "n"}},
        opset_version=_OPSET,
        dynamo=False,
    )
