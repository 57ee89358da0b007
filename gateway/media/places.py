"""A folder's path or a bucket's URL goes in, the store of media there comes out, checked at start-up."""

from __future__ import annotations

import os
import secrets
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore, from_url

from gateway.media.recent import RecentMedia
from gateway.media.store import MediaStore, ObjectMediaStore, reason

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

# A reply waits for its files: better a clear failure than minutes of silence.
_CONNECT_TIMEOUT = timedelta(seconds=3)
_TIMEOUT = timedelta(seconds=20)
_RETRIES: RetryConfig = {"max_retries": 3, "retry_timeout": _TIMEOUT}
_CHECK_FOLDER = "check"
# Where another server than the cloud's own is named, by the scheme of a bucket's URL.
_ADDRESS_VARIABLES = {"s3": "AWS_ENDPOINT_URL", "gs": "GOOGLE_BASE_URL"}


class PlaceUnusable(Exception):
    """Media cannot be kept there; the text says what to set."""


def media_store(place: str) -> MediaStore:
    """The store at a folder's path (made where missing) or at a URL such as s3://bucket/prefix.

    Raises PlaceUnusable.
    """
    return ObjectMediaStore(_opened(place))


def reply_media(place: str) -> MediaStore:
    """The same for replies: the newest files of a bucket are at hand. Raises PlaceUnusable."""
    store = media_store(place)
    return RecentMedia(store) if "://" in place else store


def check_place(place: str) -> None:
    """Writes, reads, lists and removes a small file, before any event loop runs. Raises PlaceUnusable."""
    store = _opened(place)
    path = f"{_CHECK_FOLDER}/{secrets.token_hex(8)}"
    try:
        obstore.put(store, path, b"ok", mode="create")
        obstore.get(store, path)
        obstore.list_with_delimiter(store, _CHECK_FOLDER)
        obstore.delete(store, path)
    except (BaseError, OSError) as error:
        raise _unusable(place, error) from None


def _opened(place: str) -> ObjectStore:
    try:
        if "://" not in place:
            folder = Path(place).resolve()
            folder.mkdir(parents=True, exist_ok=True)
            return from_url(folder.as_uri(), automatic_cleanup=True)
        return from_url(place, client_options=_client(place), retry_config=_RETRIES)
    except (BaseError, OSError, ValueError) as error:
        raise _unusable(place, error) from None


def _client(place: str) -> ClientConfig:
    # Whoever writes http:// into the server's address has said that it need not be encrypted.
    address = os.environ.get(_ADDRESS_VARIABLES.get(place.partition("://")[0], ""), "")
    plain = address.startswith("http://")
    return {"connect_timeout": _CONNECT_TIMEOUT, "timeout": _TIMEOUT, "allow_http": plain}


def _unusable(place: str, error: Exception) -> PlaceUnusable:
    return PlaceUnusable(
        f"Media cannot be kept at {place.partition('?')[0]} ({reason(error)}). Set GATEWAY_DATA to a folder "
        "that can be written, or to s3://bucket/prefix or gs://bucket/prefix with credentials that may read, "
        "write, list and delete there (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, "
        "AWS_ENDPOINT_URL; GOOGLE_SERVICE_ACCOUNT, GOOGLE_BASE_URL)."
    )
