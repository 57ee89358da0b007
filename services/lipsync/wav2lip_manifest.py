"""The fields of an imported network's manifest.json: speech and a face to the lower half of that face."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.lipsync.manifests import SERVED_MEL, MelSettings, ModelFile, Name

WAV2LIP_CONTRACT: Literal["wav2lip/1"] = "wav2lip/1"

# Published networks of this contract were trained with one or the other.
LOWEST_BANDS_HZ = (55.0, 95.0)


def served_mel(fmin_hz: float) -> MelSettings:
    """The scale of a network whose lowest band begins at `fmin_hz`."""
    return SERVED_MEL.model_copy(update={"fmin_hz": fmin_hz})


class Wav2LipFiles(BaseModel):
    """A network of the contract wav2lip/1 is three graphs."""

    model_config = ConfigDict(frozen=True)

    listen: ModelFile
    look: ModelFile
    speak: ModelFile


class Wav2LipManifest(BaseModel):
    """A network that draws the lower half of a 96x96 face; `offset_seconds` is where its window begins."""

    model_config = ConfigDict(frozen=True)

    name: Name
    version: str
    contract: Literal["wav2lip/1"]
    fps: Literal[25]
    mel: MelSettings
    offset_seconds: float = Field(ge=-1, le=1)
    files: Wav2LipFiles
    licence: str = Field(min_length=1)
    source: str = ""

    @model_validator(mode="after")
    def _heard(self) -> Self:
        if self.mel.fmin_hz not in LOWEST_BANDS_HZ or self.mel != served_mel(self.mel.fmin_hz):
            raise ValueError(f"mel must be {SERVED_MEL.model_dump()}, with an fmin_hz of 55 or 95")
        return self
