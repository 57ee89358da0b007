"""Windows with true poses in, a trained mouth network out: seconds of CPU time decide how long it takes."""

import math
import time

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from services.lipsync.training.mouth_examples import MouthExamples
from services.lipsync.training.mouth_network import MouthNetwork
from services.lipsync.training.throats import through_other_throats

# In the order of CONTROLS. An error in jaw, press or bitten lip is seen first, one in the tongue last.
_IMPORTANCE = torch.tensor([1.5, 1.2, 1.0, 1.6, 1.6, 0.8, 0.8])
# How much more often a frame is looked at for each control it fully shows: f, v and th are rare in speech.
_RARITY = np.array([0.0, 1.0, 0.0, 1.0, 4.0, 0.0, 2.0])
_MOTION_WEIGHT = 0.5
_ROWS = 40
_FRAMES_IN_A_ROW = 8
_LEARNING_RATE = 3e-3
_LOWEST_LEARNING_RATE = 2e-5
_WARM_UP_STEPS = 200
_WEIGHT_DECAY = 1e-3
_MASKED_BATCHES = 0.5
_WIDEST_MASK_BANDS = 9
_MASKED_LEVEL = -2.0
_STEPS_PER_REPORT = 1000


def trained_mouth_network(
    examples: MouthExamples, cpu_seconds: float, seed: int, *, other_throats: bool
) -> MouthNetwork:
    """Return a network in evaluation mode, trained on one thread for that much CPU time.

    It hears the voices as they are or, harder to learn and better with strangers, each through other throats.
    The seed fixes the order of the batches; how many there are depends on the machine's speed.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    rng = np.random.default_rng(seed)
    network = MouthNetwork().train()
    optimizer = torch.optim.AdamW(network.parameters(), _LEARNING_RATE, weight_decay=_WEIGHT_DECAY)
    poses = torch.from_numpy(examples.poses)
    chances = _cumulative_chances(examples)
    began = time.process_time()
    step = 0
    recent_loss = 0.0
    while (progress := (time.process_time() - began) / cpu_seconds) < 1.0:
        for group in optimizer.param_groups:
            group["lr"] = _learning_rate(step, progress)
        first = np.searchsorted(chances, rng.random(_ROWS))
        heard, starts = examples.rows(first, _FRAMES_IN_A_ROW)
        spoken = _masked(through_other_throats(heard, rng) if other_throats else heard, rng)
        # Where the processor knows bfloat16, a step takes two thirds of the time and learns as much.
        with torch.autocast("cpu", torch.bfloat16):
            predicted = network.along(torch.from_numpy(spoken), torch.from_numpy(starts))
        loss = _loss(predicted.float(), poses[first[:, None] + np.arange(_FRAMES_IN_A_ROW)])
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        step += 1
        recent_loss += loss.item() / _STEPS_PER_REPORT
        if step % _STEPS_PER_REPORT == 0:
            print(f"step {step}: loss {recent_loss:.4f}, {progress:.0%} of the time", flush=True)
            recent_loss = 0.0
    network.eval()
    return network


def _learning_rate(step: int, progress: float) -> float:
    """A short rise, then a cosine fall over the whole of the training (Loshchilov and Hutter 2017)."""
    risen = min(1.0, step / _WARM_UP_STEPS)
    return _LEARNING_RATE * risen * 0.5 * (1 + math.cos(math.pi * progress)) + _LOWEST_LEARNING_RATE


def _cumulative_chances(examples: MouthExamples) -> NDArray[np.float64]:
    """Return the summed chances of each frame to begin a row; no row spans two utterances."""
    weights = 1.0 + examples.poses[: 1 - _FRAMES_IN_A_ROW] @ _RARITY
    chances = np.cumsum(weights * examples.unbroken(_FRAMES_IN_A_ROW))
    return np.asarray(chances / chances[-1])


def _masked(mel: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Blank some mel bands, so that no single one is relied on (SpecAugment, Park et al. 2019)."""
    if rng.random() < _MASKED_BATCHES:
        lowest = rng.integers(0, mel.shape[1] - _WIDEST_MASK_BANDS + 1)
        mel[:, lowest : lowest + rng.integers(1, _WIDEST_MASK_BANDS)] = _MASKED_LEVEL
    return mel


def _loss(predicted: Tensor, true: Tensor) -> Tensor:
    still = (predicted - true).square()
    moving = (predicted.diff(dim=1) - true.diff(dim=1)).square()
    return (still * _IMPORTANCE).mean() + _MOTION_WEIGHT * (moving * _IMPORTANCE).mean()
