"""The bytes of a manifest.json go in, a checked description of a network or an avatar comes out.

Training writes these files, serving only reads them. A file whose hash differs from its manifest is refused.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from services.lipsync import mel
from services.lipsync.pose import CONTROLS

POSE_CONTRACT = "pose/1"

# 0.8 s of sound around a frame; the look-ahead of an utterance's first fragments hangs on it.
_WIDEST_WINDOW_COLUMNS = 64
# A loaded loop stays in memory: 27 s of 512x512.
LARGEST_LOOP_BYTES = 256 << 20

Manifest = TypeVar("Manifest", bound=BaseModel)
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
# 2x3, row by row: a crop's pixel (x, y, 1) to the frame's pixel, pixel centres at integers.
Affine = tuple[float, float, float, float, float, float]


class ModelError(Exception):
    """A network or avatar cannot be used: what is wrong, in which file, and what to do about it."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class ModelFile(_Part):
    """A file beside its manifest."""

    path: FileName
    sha256: Sha256


class MelSettings(_Part):
    """How a network hears; serving computes exactly one scale (`mel.py`) and refuses any other."""

    sample_rate_hz: int
    hop_samples: int
    window_samples: int
    bands: int
    fmin_hz: float
    fmax_hz: float
    preemphasis: float
    columns: int = Field(ge=1, le=_WIDEST_WINDOW_COLUMNS)


SERVED_MEL = MelSettings(
    sample_rate_hz=mel.SAMPLE_RATE_HZ,
    hop_samples=mel.HOP_SAMPLES,
    window_samples=mel.WINDOW_SAMPLES,
    bands=mel.BANDS,
    fmin_hz=mel.LOWEST_HZ,
    fmax_hz=mel.HIGHEST_HZ,
    preemphasis=mel.PREEMPHASIS,
    columns=mel.COLUMNS_PER_WINDOW,
)


class Closure(_Part):
    """Where the `press` control begins to shut the mouth, and where it is shut whatever the vowels say."""

    from_: float = Field(alias="from", ge=0, le=1)
    to: float = Field(gt=0, le=1)

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if self.to <= self.from_:
            raise ValueError("closure.to must be above closure.from")
        return self


class Levelling(_Part):
    """The average voice that the network was trained to hear (`levelling.py`)."""

    average_column: Annotated[tuple[float, ...], Field(min_length=mel.BANDS, max_length=mel.BANDS)]
    patience_columns: float = Field(ge=0)


class NetworkFiles(_Part):
    """A network of the contract pose/1 is one graph."""

    listen: ModelFile


class NetworkManifest(_Part):
    """An audio network: mel windows to poses of the mouth."""

    name: Name
    version: str
    contract: Literal["pose/1"]
    fps: Literal[25]
    mel: MelSettings
    offset_seconds: float = Field(ge=-1, le=1)
    controls: tuple[str, ...]
    smoothing: tuple[float, ...]
    closure: Closure
    # The same for the one frame of five in which the lips press, or bite, most.
    contact_peak: Closure | None = None
    levelling: Levelling | None = None
    files: NetworkFiles
    licence: str
    source: str = ""

    @model_validator(mode="after")
    def _servable(self) -> Self:
        if self.mel.model_copy(update={"columns": SERVED_MEL.columns}) != SERVED_MEL:
            raise ValueError(f"mel must be {SERVED_MEL.model_dump()}, only with columns of the network's own")
        if self.controls != CONTROLS:
            raise ValueError(f"controls must be {', '.join(CONTROLS)}, in this order")
        if len(self.smoothing) % 2 == 0 or len(self.smoothing) > 15:
            raise ValueError("smoothing must have an odd number of weights, at most 15")
        return self


class Mouth(_Part):
    """The crop that `speak` draws and where it lies on each frame of the loop.

    `speak` takes poses: it is a graph (pose/1) or what a photo is warped with (warp/1, `warped_mouth.py`).
    """

    contract: Literal["pose/1", "warp/1"]
    size_px: int = Field(ge=16, le=512, multiple_of=16)
    feather_px: int = Field(ge=1, le=128)
    placement: tuple[Affine, ...]

    @property
    def shape_px(self) -> tuple[int, int]:
        """Height and width."""
        return self.size_px, self.size_px


class AvatarFiles(_Part):
    """What a bundle holds beside its manifest."""

    loop: ModelFile
    speak: ModelFile
    poster: ModelFile


class AvatarManifest(_Part):
    """A face the user can choose. Sizes are pixels of the loop's frames."""

    id: Name
    name: str = Field(min_length=1, max_length=64)
    version: str
    contract: Literal["avatar/1"]
    width_px: int = Field(ge=64, le=1920, multiple_of=2)
    height_px: int = Field(ge=64, le=1920, multiple_of=2)
    fps: Literal[25]
    loop_frames: int = Field(ge=8, le=1500)
    mouth: Mouth
    # Left, top, width, height, of the first frame, forehead to chin: what an imported network is shown.
    face_box_px: tuple[float, float, Annotated[float, Field(ge=16)], Annotated[float, Field(ge=16)]]
    files: AvatarFiles
    licence: str
    synthetic: bool
    source: str = ""

    @model_validator(mode="after")
    def _placed(self) -> Self:
        if len(self.mouth.placement) != self.loop_frames:
            raise ValueError(
                f"mouth.placement must have one entry for each of {self.loop_frames} loop frames"
            )
        if self.width_px * self.height_px * 3 // 2 * self.loop_frames > LARGEST_LOOP_BYTES:
            raise ValueError(f"the loop must take at most {LARGEST_LOOP_BYTES} bytes when decoded")
        if self.mouth.feather_px * 2 > self.mouth.size_px:
            raise ValueError("mouth.feather_px must be at most half of mouth.size_px")
        return self


def read_manifest(kind: type[Manifest], data: bytes, where: str) -> Manifest:
    """The manifest in `data`; `where` names it in the error.

    Raises:
        ModelError: not JSON, or a field is missing or wrong; the message names the first such field.
    """
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in problem["loc"]) or "the file"
        raise ModelError(f"{where}: {field}: {problem['msg']}. Export it again.") from None


def check_hash(file: ModelFile, data: bytes, where: str) -> bytes:
    """`data`, which is what the manifest promised.

    Raises:
        ModelError: the hash differs.
    """
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise ModelError(
            f"{where}: {file.path} is damaged, its sha256 is not the manifest's. Fetch it again."
        )
    return data
