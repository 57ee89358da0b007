"""The environment goes in; what this worker serves, with how many renders at once, comes out."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict
from visavis.rpc.settings import ServiceSettings


class LipsyncSettings(ServiceSettings):
    """Every field is an environment variable with the prefix LIPSYNC_, for example LIPSYNC_SLOTS."""

    model_config = SettingsConfigDict(env_prefix="LIPSYNC_")

    # Holds networks/<name>/ and avatars/<id>/, each with a manifest.json.
    models_dir: Path = Path(__file__).parent / "models"
    # Holds imported networks, <name>/ each, which are offered beside those of models_dir.
    networks_dir: Path | None = None
    # Taken where a call names none.
    network: str = "visavis-mouth"
    avatar: str = "ava"
    # Renders at once, one thread each; further calls are refused with BUSY: the caller asks another worker.
    slots: int = Field(default=1, ge=1, le=64)
    # onnxruntime execution providers in order of preference, comma-separated: cpu, openvino, cuda, coreml.
    # With cpu among them, one that cannot be used is passed over; without, the worker does not start.
    providers: str = Field(default="cpu", pattern="^[a-z]+(,[a-z]+)*$")
    max_utterance_seconds: float = Field(default=60.0, gt=0, le=600)
    # How long a client may take to send an utterance or a bundle; a slot is taken meanwhile.
    upload_seconds: float = Field(default=10.0, gt=0)
    # Making an avatar takes about 4 s of one core, of a clip of ten seconds 8 s.
    build_seconds: float = Field(default=60.0, gt=0)
    # Avatars kept ready: about 22 MB each, without the decoded loop. Loading one takes 0.2 s of CPU time.
    loaded_avatars: int = Field(default=3, ge=1)
    # Decoded loops kept: one of 8 s of 512x512, which suits one slot. Another one is decoded when its turn to
    # speak comes, in 0.1 s of CPU time.
    loop_bytes: int = Field(default=80 << 20, ge=0)
    max_bundle_bytes: int = Field(default=64 << 20, ge=1)
