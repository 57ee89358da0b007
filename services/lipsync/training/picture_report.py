"""The shipped avatars and their true renders in, REPORT.md and a contact sheet beside the avatars out."""

import datetime as dt
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from services.lipsync.avatars import folder_bundle, load_avatar
from services.lipsync.training.head_pictures import HeadPictures
from services.lipsync.training.mouth_poses import pose_set
from services.lipsync.training.picture_evaluation import Fit, Likeness, drawn_mouths, fit, likeness
from services.lipsync.training.picture_measures import Pixels
from services.lipsync.training.visemes import VISEMES

REPORT, SHEET = "REPORT.md", "REPORT.jpg"
_SHOWN = {"p b m": "pbm", "f v": "fv", "ah": "aa", "ee": "iy", "oh": "ow", "oo": "uw", "th": "th", "s": "sz"}
_CAPTION_PX = 22
_SHEET_QUALITY = 88


@dataclass(frozen=True)
class Judged:
    """One avatar: how many mouths its decoder learned from, its scores, and its two rows of the sheet."""

    learned: int
    likeness: Likeness
    fit: Fit
    megabytes: float
    rows: Pixels


def judged(folder: Path, pictures: HeadPictures) -> Judged:
    """Compare the bundle in `folder` with its renders. Raises FileNotFoundError for one that is missing."""
    avatar = load_avatar(folder_bundle(folder), ["CPUExecutionProvider"])
    rendered = pose_set()
    learned = len(rendered.train)
    mouths = pictures.mouths(len(rendered.all))
    drawn = drawn_mouths(avatar, rendered.held_out)
    resting = drawn_mouths(avatar, np.zeros_like(rendered.held_out[:1]))[0]
    shapes = np.array([VISEMES[viseme] for viseme in _SHOWN.values()], np.float32)
    shown = mouths[[int(np.abs(rendered.train - shape).max(1).argmin()) for shape in shapes]]
    return Judged(
        learned=learned,
        likeness=likeness(drawn, mouths[learned:], resting),
        fit=fit(avatar),
        megabytes=sum(file.stat().st_size for file in folder.iterdir()) / 1e6,
        rows=np.concatenate([np.hstack(list(drawn_mouths(avatar, shapes))), np.hstack(list(shown))]),
    )


def write_picture_report(folder: Path, avatars: Mapping[str, Judged]) -> str:
    """Write the report and the sheet on `avatars`, by name, into `folder`; return the report."""
    today = dt.datetime.now(dt.UTC).date()
    machine = f"{platform.machine()} ({platform.system()}, Python {platform.python_version()})"
    sections = [
        "# How well the avatars' mouths are drawn",
        f"Measured by `python -m services.lipsync.training picture` on {today}, {machine}.",
        "## Mouths that no decoder has learned from, against true renders",
        _likeness_table(avatars),
        "## The resting mouth on the idle loop, in levels of 255",
        _fit_table(avatars),
        f"## By eye\n\n![Drawn mouths above true renders, avatar by avatar]({SHEET})",
        "## Method",
        _METHOD,
    ]
    report = "\n\n".join(sections) + "\n"
    (folder / REPORT).write_text(report, encoding="utf-8")
    sheet = cv2.cvtColor(_sheet([each.rows for each in avatars.values()]), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(folder / SHEET), sheet, [cv2.IMWRITE_JPEG_QUALITY, _SHEET_QUALITY])
    return report


def _likeness_table(avatars: Mapping[str, Judged]) -> str:
    rows = [
        "| who | mouths | PSNR | worst | where it moves | still mouth | SSIM | GMSD | sharpness | bundle |",
        "| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |",
    ]
    for name, each in avatars.items():
        near = each.likeness
        rows.append(
            f"| {name} | {each.learned} | {near.decibels:.1f} dB | {near.worst_decibels:.1f} dB "
            f"| {near.moving_decibels:.1f} dB | {near.resting_decibels:.1f} dB | {near.similarity:.4f} "
            f"| {near.deviation:.3f} | {near.sharpness:.0%} | {each.megabytes:.1f} MB |"
        )
    return "\n".join(rows)


def _fit_table(avatars: Mapping[str, Judged]) -> str:
    rows = [
        "| avatar | jump from loop to speech | step at the crop's edge | flicker | flicker of the loop |",
        "| --- | --: | --: | --: | --: |",
    ]
    for name, each in avatars.items():
        sits = each.fit
        rows.append(
            f"| {name} | {sits.jump:.2f} | {sits.step:.2f} | {sits.flicker:.2f} | {sits.idle_flicker:.2f} |"
        )
    return "\n".join(rows)


def _sheet(rows: list[Pixels]) -> Pixels:
    pictures = np.rint(np.concatenate(rows).clip(0, 1) * 255).astype(np.uint8)
    captions = np.full((_CAPTION_PX, pictures.shape[1], 3), 255, np.uint8)
    for column, name in enumerate(_SHOWN):
        corner = (column * pictures.shape[1] // len(_SHOWN) + 6, _CAPTION_PX - 6)
        cv2.putText(captions, name, corner, cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
    return np.concatenate([captions, pictures])


_METHOD = f"""\
The {len(pose_set().held_out)} mouths are moments drawn at random from sentences that lent none to training,
rendered by Cycles. Values are means over these mouths, over the whole crop of 160 × 160 px unless said
otherwise. Mouths are drawn by the shipped graph.

- *mouths*: how many the decoder learned from. *worst*: PSNR of the one of them that is drawn worst.
- *where it moves*: PSNR of the pixels that differ from rest by more than 6 % of the range.
- *still mouth*: PSNR of the resting mouth against the same renders: what doing nothing scores.
- *SSIM*: Wang et al. 2004, of the luma. *GMSD*: gradient magnitude similarity deviation, Xue et al. 2014,
  mean of three scales, 0 is equal. It stands in for LPIPS, whose network a check-out does not hold: like
  LPIPS it counts blur and misplaced edges, which PSNR forgives.
- *sharpness*: steepness of edges where the mouth moves, as share of the true one.
- *jump*: mean change of a pixel of the crop from the loop's own frame to the same frame with the resting
  mouth drawn on it, over the whole loop. The loop has been through its encoder, the drawn mouth has not.
- *step*: the largest difference of any patch of 9 × 9 px in the outer 16 px of the crop, on any frame.
- *flicker*: mean change of a pixel of the crop from frame to frame, the head's motion taken out, while the
  pose is constant. What is left is resampling and the encoder's grain, which drawn mouths do not have.
"""
