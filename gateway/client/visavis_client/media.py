"""A reply's end and a kind of media go in; the file it is served as comes out, if there is one."""

from __future__ import annotations

from typing import Literal

from visavis_client.errors import NothingMade
from visavis_client.events import Done

Media = Literal["video", "audio", "captions"]

_FILES: dict[Media, str] = {"video": "video.mp4", "audio": "audio.wav", "captions": "captions.vtt"}


def media_file(done: Done, media: Media) -> str:
    """The file's name below the reply's address.

    Raises:
        NothingMade: the reply was cancelled, or nothing in it could be spoken.
    """
    if done.status == "cancelled":
        raise NothingMade("The reply was cancelled.")
    if media == "video" and done.video_url is None:
        raise NothingMade("There is nothing in this text that can be spoken.")
    return _FILES[media]
