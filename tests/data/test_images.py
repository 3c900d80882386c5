"""Folders of images: classes by folder, splits by folder, and damaged files told by name."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data_cases import section, write_images
from PIL import Image

import framework.data as data
from framework.core.errors import DataError
from framework.data.pictures import picture_size, read_picture


def folder(root: Path, **fields: Any) -> Any:
    return section("images", **({"path": str(root), "classes": 2, "normalize": "none"} | fields))


def save(path: Path, pixels: Any, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels)).save(path, **options)
    return path


def test_pixels_lie_between_0_and_1_and_labels_are_the_sorted_folders(tmp_path: Path) -> None:
    root = write_images(tmp_path / "pets", each=10)
    dataset = data.load(folder(root))
    assert dataset.classes == ("cat", "dog")
    arrays = dataset.arrays("train")
    expected = np.stack(
        [np.asarray(Image.open(file)) for name in ("cat", "dog") for file in sorted((root / name).iterdir())]
    )
    np.testing.assert_array_equal(np.rint(arrays["image"] * 255), expected[dataset.splits["train"].indices])
    np.testing.assert_array_equal(arrays["label"], dataset.splits["train"].indices // 10)


def test_class_names_give_the_order_and_may_lack_folders(tmp_path: Path) -> None:
    root = write_images(tmp_path / "pets", each=10)
    dataset = data.load(folder(root, classes=3, class_names=["dog", "ant", "cat"]))
    assert dataset.classes == ("dog", "ant", "cat")
    assert set(dataset.arrays("train")["label"].tolist()) == {0, 2}


def test_split_folders_are_found_by_their_usual_names(tmp_path: Path) -> None:
    for name, each in (("train", 6), ("val", 2), ("testing", 3)):
        write_images(tmp_path / "pets" / name, each=each)
    made = folder(tmp_path / "pets")
    assert data.describe(made).splits == ("train", "valid", "test")
    assert {name: len(view) for name, view in data.load(made).splits.items()} == {"train": 12, "valid": 4, "test": 6}


def test_size_and_mode_are_followed(tmp_path: Path) -> None:
    root = write_images(tmp_path / "pets")
    for size, shape in ((5, (5, 5, 1)), ([3, 7], (3, 7, 1))):
        made = folder(root, size=size, mode="grey", split={"type": "fraction", "valid": 0.2, "test": 0.2})
        assert data.describe(made).arrays["image"].shape == shape
        assert data.load(made).arrays("train")["image"].shape[1:] == shape


def test_crop_keeps_the_centre_and_stretch_everything(tmp_path: Path) -> None:
    pixels = np.zeros((4, 12, 3), np.uint8)
    pixels[:, 4:8] = 255
    path = save(tmp_path / "a.png", pixels)
    assert read_picture(path, (4, 4), "grey", "crop").min() == 255
    assert read_picture(path, (4, 4), "grey", "stretch")[0, :, 0].tolist()[0] < 128


def test_an_image_of_another_size_is_refused_where_no_size_is_set(tmp_path: Path) -> None:
    root = write_images(tmp_path / "pets")
    save(root / "dog" / "9.png", np.zeros((7, 4, 3), np.uint8))
    with pytest.raises(DataError, match=r"9.png' is 7 x 4 pixels \(height x width\)\n.*6 x 4.*\n.*data.size=\[6,4\]"):
        data.load(folder(root)).arrays("train")
        data.load(folder(root)).arrays("test")


@pytest.mark.parametrize("content", [b"", b"not an image", None])
def test_a_damaged_image_is_told_by_name(tmp_path: Path, content: bytes | None) -> None:
    root = write_images(tmp_path / "pets")
    path = root / "cat" / "3.png"
    path.write_bytes(path.read_bytes()[:60] if content is None else content)
    with pytest.raises(DataError, match=r"cat/3.png' cannot be read as an image: .*(.|\n)*mend or remove the file"):
        dataset = data.load(folder(root, size=4))
        for split in dataset.splits:
            dataset.arrays(split)


def test_a_folder_for_each_split_hashes_by_the_files_names(tmp_path: Path) -> None:
    root = write_images(tmp_path / "pets", each=30)
    made = folder(root, split={"type": "hash", "valid": 0.3, "test": 0.3})

    def placed() -> dict[str, str]:
        files = [f"{name}/{file.name}" for name in ("cat", "dog") for file in sorted((root / name).iterdir())]
        return {files[row]: split for split, view in data.load(made).splits.items() for row in view.indices}

    before = placed()
    save(root / "cat" / "00.png", np.zeros((6, 4, 3), np.uint8))
    after = placed()
    assert {file: after[file] for file in before} == before


def test_the_cache_gives_the_same_pixels(tmp_path: Path) -> None:
    root = write_images(tmp_path / "pets")
    kept, read = data.load(folder(root)), data.load(folder(root, cache_mib=0))
    for _ in range(2):
        np.testing.assert_array_equal(kept.arrays("train")["image"], read.arrays("train")["image"])


def test_a_cached_image_is_read_once(tmp_path: Path) -> None:
    root = write_images(tmp_path / "pets")
    dataset = data.load(folder(root))
    first = dataset.arrays("train")["image"]
    for path in root.rglob("*.png"):
        path.unlink()
    np.testing.assert_array_equal(dataset.arrays("train")["image"], first)


def test_files_that_are_no_images_are_ignored(tmp_path: Path) -> None:
    root = write_images(tmp_path / "pets")
    (root / "cat" / "notes.txt").write_text("hello")
    (root / ".cache").mkdir()
    assert data.describe(folder(root)).examples == 16


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"classes": 3}, r"data.classes: 3 classes are declared, but the folder '.*' \(cat, dog\) has 2"),
        (
            {"class_names": ["cat", "dogs"]},
            r"the folder 'dog' in '.*' is no class\n.*cat, dogs\n.*rename the folder to 'dogs'",
        ),
        ({"path": "/nowhere/pets"}, "the folder '/nowhere' does not exist"),
    ],
)
def test_a_mistake_is_told_without_reading_an_image(tmp_path: Path, fields: Any, message: str) -> None:
    root = write_images(tmp_path / "pets")
    with pytest.raises(DataError, match=message):
        data.describe(folder(root, **fields))


def test_a_misspelt_or_empty_folder_is_told(tmp_path: Path) -> None:
    root = write_images(tmp_path / "pets")
    with pytest.raises(DataError, match=r"there is no folder '.*pet'(.|\n)*fix: +data.path=.*pets"):
        data.describe(folder(tmp_path / "pet"))
    for path in root.rglob("*.png"):
        path.unlink()
    with pytest.raises(DataError, match="there is no image below"):
        data.describe(folder(root))


def test_without_pillow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_images(tmp_path / "pets")
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(DataError, match=r"images need Pillow, which is not installed(.|\n)*'framework\[images\]'"):
        data.describe(folder(root))


def test_kinds_of_files_become_the_same_grey(tmp_path: Path) -> None:
    grey = np.array([[0, 100], [200, 255]], np.uint8)
    files = [save(tmp_path / "l.png", grey), save(tmp_path / "rgb.png", np.repeat(grey[..., None], 3, 2))]
    files.append(save(tmp_path / "i16.png", (grey.astype(np.uint16) << 8)))
    palette = Image.fromarray(grey).convert("P")
    palette.save(tmp_path / "p.png")
    files.append(tmp_path / "p.png")
    for file in files:
        np.testing.assert_array_equal(read_picture(file, None, "grey", "stretch")[..., 0], grey)


def test_transparent_parts_are_black(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", np.array([[[255, 255, 255, 0], [255, 255, 255, 255]]], np.uint8))
    assert read_picture(path, None, "grey", "stretch")[0, :, 0].tolist() == [0, 255]


def test_a_turned_photograph_is_turned_back(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying on its side
    path = save(tmp_path / "a.png", np.array([[0, 50, 100]], np.uint8), exif=exif)
    assert picture_size(path) == (3, 1)
    assert read_picture(path, None, "grey", "stretch")[:, 0, 0].tolist() == [0, 50, 100]
