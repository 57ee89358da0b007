"""The bytes of an image go in, its pixels come out upright; what is no portrait is refused in a sentence."""

from __future__ import annotations

import io
import warnings

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

Pixels = NDArray[np.uint8]

MOST_BYTES = 16 << 20
MOST_PIXELS = 50_000_000
MEDIA_TYPES = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
# More pixels than this tell nothing more about a face of 512x512.
_LONGEST_SIDE_PX = 2048


class UnusablePortrait(Exception):
    """Says in one sentence what is wrong with a portrait, and what to do about it."""


def photo_pixels(data: bytes) -> Pixels:
    """The image as (height, width, 3) RGB, turned as its EXIF orientation says, transparency over grey.

    At most 2048 px on its longer side: what is larger is made smaller.

    Raises:
        UnusablePortrait: not a JPEG, PNG or WebP, damaged, animated, or with too many pixels.
    """
    try:
        with warnings.catch_warnings():
            # Our own bound on pixels is checked before anything is decoded.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=list(MEDIA_TYPES.values()))
            if image.width * image.height > MOST_PIXELS:
                raise UnusablePortrait(
                    f"The image has {image.width * image.height / 1e6:.0f} megapixels, "
                    f"{MOST_PIXELS // 1_000_000} are allowed. Make it smaller."
                )
            if getattr(image, "n_frames", 1) > 1:
                raise UnusablePortrait("The image is animated. Send a single picture.")
            image.draft("RGB", (_LONGEST_SIDE_PX, _LONGEST_SIDE_PX))
            return _upright(image)
    except UnidentifiedImageError:
        raise UnusablePortrait("This is not a JPEG, PNG or WebP image.") from None
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError):
        raise UnusablePortrait("The image is damaged and cannot be read. Save it again.") from None


def _upright(image: Image.Image) -> Pixels:
    turned = ImageOps.exif_transpose(image)
    turned.thumbnail((_LONGEST_SIDE_PX, _LONGEST_SIDE_PX), Image.Resampling.LANCZOS)
    if turned.has_transparency_data:
        solid = Image.new("RGBA", turned.size, (128, 128, 128, 255))
        turned = Image.alpha_composite(solid, turned.convert("RGBA"))
    return np.asarray(turned.convert("RGB"), np.uint8)
