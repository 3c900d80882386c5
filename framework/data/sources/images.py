"""Images in folders: one folder per class, or such folders below train, valid and test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from framework.core.errors import DataError, Problem
from framework.core.words import closest, listed
from framework.data.decoding.pool import DecodingPool
from framework.data.labels import require_classes
from framework.data.paths import existing
from framework.data.pictures import CHANNELS, SUFFIXES, picture_size, read_picture
from framework.data.protocol import Arrays, ArraySpec, Collection, Outline, checked, filled

_ALIASES = {
    "train": "train",
    "training": "train",
    "valid": "valid",
    "validation": "valid",
    "val": "valid",
    "test": "test",
    "testing": "test",
}
Size = int | Sequence[int] | None


def describe(*, path: str, classes: int, class_names: Sequence[str] | None, size: Size, mode: str) -> Outline:
    """The outline, from the names of the files, and the first one's header where no size is set."""
    listing = _list(path, classes, class_names)
    height, width = _size(size, listing)
    arrays = {"image": ArraySpec((height, width, CHANNELS[mode]), "float32"), "label": ArraySpec((), "int32")}
    return Outline(
        arrays, classes=classes, class_names=listing.names, examples=len(listing.files), own=tuple(listing.own or ())
    )


def images(
    *,
    path: str,
    classes: int,
    class_names: Sequence[str] | None,
    size: Size,
    mode: str,
    fit: str,
    cache_mib: int,
    workers: int,
) -> Collection:
    """The images, in [0, 1], read when they are asked for."""
    listing = _list(path, classes, class_names)
    root = Path(path).expanduser()
    source = ImageFiles(
        listing.files, listing.labels, _size(size, listing), mode, fit, resize=size is not None, workers=workers
    )
    if source.cached_bytes <= cache_mib << 20:
        source.keep()
    return Collection(
        source,
        own=listing.own,
        labels=listing.labels,
        class_names=listing.names,
        identities=lambda: [file.relative_to(root).as_posix().encode() for file in listing.files],
        facts={"learned": {"class_names": list(listing.names)}, "mode": mode, "fit": fit},
    )


class ImageFiles:
    """Image files as a source; decoded images are kept as bytes once `keep` was called.

    Args:
      workers: how many processes decode; 0: whoever asks for an image.
    """

    def __init__(
        self,
        files: Sequence[Path],
        labels: np.ndarray,
        size: tuple[int, int],
        mode: str,
        fit: str,
        *,
        resize: bool,
        workers: int = 0,
    ) -> None:
        self._files = files
        self._labels = labels
        self._size = size
        self._mode = mode
        self._fit = fit
        self._target = size if resize else None
        self._pool = DecodingPool(workers, self._target, mode, fit) if workers else None
        self._shape = (*size, CHANNELS[mode])
        self._pixels: np.ndarray | None = None
        self._read = np.zeros(len(files), bool)
        self.spec = {"image": ArraySpec(self._shape, "float32"), "label": ArraySpec((), "int32")}

    def __len__(self) -> int:
        return len(self._files)

    @property
    def cached_bytes(self) -> int:
        """Bytes of all decoded images."""
        return len(self) * int(np.prod(self._shape))

    def keep(self) -> None:
        """Keep each image in memory from the first time it is read."""
        self._pixels = np.empty((len(self), *self._shape), np.uint8)

    def take(self, indices: np.ndarray) -> Arrays:
        """`image` and `label` of the examples at `indices`."""
        return filled(self, indices)

    def fill(self, indices: np.ndarray, out: Mapping[str, np.ndarray]) -> None:
        """Put `image` and `label` of the examples at `indices` into arrays [len(indices), ...].

        Raises:
          DataError: a file is no image, damaged, or of another size where none is set.
        """
        rows = checked(indices, len(self))
        out["label"][...] = self._labels[rows]
        np.divide(self._pictures(rows), np.float32(255), out=out["image"], dtype=np.float32)

    def _pictures(self, rows: np.ndarray) -> np.ndarray:
        """uint8[rows, height, width, channels]."""
        if self._pixels is None:
            return np.stack(self._decoded(rows)) if len(rows) else np.empty((0, *self._shape), np.uint8)
        new = np.unique(rows[~self._read[rows]])
        for row, picture in zip(new, self._decoded(new), strict=True):
            # Two threads may both decode an image; both write the same bytes, and the flag is set after them.
            self._pixels[row] = picture
            self._read[row] = True
        return self._pixels[rows]

    def _decoded(self, rows: np.ndarray) -> list[np.ndarray]:
        files = [self._files[row] for row in rows.tolist()]
        if self._pool is not None:
            pictures = self._pool.decode(files)
        else:
            pictures = [read_picture(file, self._target, self._mode, self._fit) for file in files]
        return [self._checked(file, picture) for file, picture in zip(files, pictures, strict=True)]

    def _checked(self, file: Path, picture: np.ndarray) -> np.ndarray:
        if picture.shape != self._shape:
            raise DataError(
                Problem(
                    key="data.size",
                    found=f"'{file}' is {picture.shape[0]} x {picture.shape[1]} pixels (height x width)",
                    expected=f"{self._size[0]} x {self._size[1]}, as the first image is, or a size to give all images",
                    fix=f"data.size=[{self._size[0]},{self._size[1]}]",
                )
            )
        return picture


@dataclass(frozen=True)
class _Listing:
    """The image files of a folder, sorted; `own` holds example numbers by split."""

    files: tuple[Path, ...]
    labels: np.ndarray
    names: tuple[str, ...]
    own: Mapping[str, np.ndarray] | None


def _list(path: str, classes: int, class_names: Sequence[str] | None) -> _Listing:
    root = existing(path, folder=True)
    tops = _folders(root)
    by_split = bool(tops) and all(folder.name in _ALIASES for folder in tops)
    groups = {_ALIASES[folder.name]: _folders(folder) for folder in tops} if by_split else {None: tops}
    found = sorted({folder.name for folders in groups.values() for folder in folders})
    if not found:
        loose = sorted(entry.name for entry in root.iterdir() if entry.suffix.lower() in SUFFIXES)
        holds = f"but images: {listed(loose, 3)}" if loose else "and no image"
        raise DataError(
            Problem(
                "data.path",
                f"'{path}' holds no folder, {holds}",
                "one folder for each class, with its images",
                fix=f"mkdir {root / 'CLASS'}, for each class, and move its images there",
            )
        )
    names = _names(root, found, classes, class_names)
    files: list[Path] = []
    labels: list[int] = []
    splits: list[str | None] = []
    for split, folders in groups.items():
        for folder in folders:
            here = sorted(file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
            files += here
            labels += [names.index(folder.name)] * len(here)
            splits += [split] * len(here)
    if not files:
        raise DataError(
            Problem("data.path", f"there is no image below '{root}'", f"files ending in {listed(sorted(SUFFIXES))}")
        )
    place = np.array(splits, object)
    own = {split: np.flatnonzero(place == split) for split in groups if split is not None}
    return _Listing(tuple(files), np.array(labels, np.int32), names, own or None)


def _folders(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def _names(root: Path, found: Sequence[str], classes: int, class_names: Sequence[str] | None) -> tuple[str, ...]:
    if class_names is None:
        require_classes(classes, len(found), f"the folder '{root}' ({listed(found)})")
        return tuple(found)
    problems = []
    for name in found:
        if name not in class_names:
            near = closest(name, class_names)
            fix = f"rename the folder to '{near}', or the class" if near else "data.class_names with all folders"
            problems.append(
                Problem(
                    "data.class_names", f"the folder '{name}' in '{root}' is no class", listed(class_names), fix=fix
                )
            )
    if problems:
        raise DataError(problems)
    return tuple(class_names)


def _size(size: Size, listing: _Listing) -> tuple[int, int]:
    if size is None:
        return picture_size(listing.files[0])
    if isinstance(size, int):
        return size, size
    height, width = size
    return height, width
