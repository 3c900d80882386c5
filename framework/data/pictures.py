"""Image files as arrays, by Pillow, which is loaded only here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from framework.core.errors import DataError, Problem

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"})
CHANNELS = {"rgb": 3, "grey": 1}


def picture_size(path: Path) -> tuple[int, int]:
    """Height and width of an image, from its header, as it is shown (a camera may store it turned).

    Raises:
      DataError: Pillow is not installed, or the file is no image.
    """
    pillow, _ = _pillow()
    try:
        with pillow.Image.open(path) as image:
            width, height = image.size
            turned = image.getexif().get(0x0112, 1) >= 5
            return (width, height) if turned else (height, width)
    except (OSError, SyntaxError, ValueError, pillow.Image.DecompressionBombError) as error:
        raise unreadable(path, error) from None


def read_picture(path: Path, size: tuple[int, int] | None, mode: str, fit: str) -> np.ndarray:
    """uint8[height, width, channels] of one image.

    Args:
      size: height and width; None: its own.
      mode: `rgb` or `grey`; transparent parts become black.
      fit: for another aspect ratio: `stretch`, or `crop` to the centre.

    Raises:
      DataError: Pillow is not installed, or the file is no image, or damaged.
    """
    pillow, operations = _pillow()
    try:
        with pillow.Image.open(path) as opened:
            image = operations.exif_transpose(opened)
            if image.mode.startswith("I;16"):
                # Pillow would cut 16-bit grey off at 255 instead of scaling it.
                image = pillow.Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
            if image.mode == "P":
                image = image.convert("RGBA")
            if image.mode in ("RGBA", "LA"):
                # Converting alone would drop the transparency and show the colours hidden beneath it.
                black = pillow.Image.new("RGBA", image.size, (0, 0, 0, 255))
                image = pillow.Image.alpha_composite(black, image.convert("RGBA"))
            image = image.convert("RGB" if mode == "rgb" else "L")
            if size is not None and (image.height, image.width) != tuple(size):
                target = (size[1], size[0])
                filter_ = pillow.Image.Resampling.BILINEAR
                image = operations.fit(image, target, filter_) if fit == "crop" else image.resize(target, filter_)
            pixels = np.asarray(image, np.uint8)
    except (OSError, SyntaxError, ValueError, pillow.Image.DecompressionBombError) as error:
        raise unreadable(path, error) from None
    return pixels.reshape(*pixels.shape[:2], CHANNELS[mode])


def unreadable(path: Path, error: Exception) -> DataError:
    """The error for a file that is no image, or a damaged one."""
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return DataError(
        Problem(
            key="data.path",
            found=f"'{path}' cannot be read as an image: {reason}",
            expected="an image that Pillow reads",
            fix="mend or remove the file",
        )
    )


def _pillow() -> tuple[Any, Any]:
    try:
        import PIL
        import PIL.Image
        import PIL.ImageOps
    except ImportError:
        raise DataError(
            Problem(
                key="data.type",
                found="images need Pillow, which is not installed",
                expected="the extra `images`",
                fix="pip install 'framework[images]'",
            )
        ) from None
    return PIL, PIL.ImageOps
