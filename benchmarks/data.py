"""Training on data larger than memory, read from the disk, beside the same training on rows in memory; and decoding.

    python benchmarks/data.py [--folder DIR] [--gib 4] [--rounds 5] [--seconds 6] [--images 400] [--no-decode]

Writes image rows of 32 x 32 x 3 bytes as NPY files below `--folder`, trains a small convolutional network on all of
them as they lie on the disk, and on some of them in memory, in turns. Batches, rows and model are the same; what counts
is the ratio. Then a process of its own trains from the disk, reads a whole epoch, and tells its peak memory. The
decoding of generated JPEG files is timed with the threads of the reader and with one and two processes. Everything that
was written is deleted in the end.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np
from PIL import Image
from step import Declared, calibrate, rate

from framework.config.compose import load
from framework.data.block_prefetch import BlockPrefetch
from framework.data.schedule import BatchSchedule
from framework.data.sources.images import ImageFiles
from framework.train.setup import Setup

RECIPE = Path(__file__).parent / "recipes" / "step_cnn.yaml"
ROW = (32, 32, 3)
ROW_BYTES = 3072
PART_ROWS = 1 << 16
RESIDENT_ROWS = 1 << 14


def write_rows(folder: Path, rows: int) -> None:
    """Image rows in parts of 192 MiB, and their labels."""
    (folder / "image").mkdir(parents=True)
    noise = np.random.default_rng(0).integers(0, 256, (PART_ROWS, *ROW), np.uint8)
    for part, first in enumerate(range(0, rows, PART_ROWS)):
        # Each part is another roll of the same noise: no two are the same bytes, and none takes long to make.
        here = np.roll(noise, part + 1, axis=3)[: min(PART_ROWS, rows - first)] ^ np.uint8(part)
        np.save(folder / "image" / f"{part:05}.npy", here)
    np.save(folder / "label.npy", np.arange(rows, dtype=np.int64) % 10)


def setup(folder: Path, *overrides: str) -> Setup:
    """The recipe over the rows in a folder, without validation in between."""
    return Setup(
        load(
            str(RECIPE),
            [
                *("data=npy", f"data.path={folder}", "data.classes=10", "data.normalize=none"),
                *("data.split={type: fraction, valid: 0, test: 0}", "checkpoint.monitor=null"),
                *("trainer.validate_every_steps=100000000", "checkpoint.every_steps=100000000"),
                *overrides,
            ],
        )
    )


def compare(folder: Path, rounds: int, seconds: float) -> dict[str, Any]:
    """Steps per second from the disk and in memory, in turns; and the ratio in processor time, which other work on the
    machine moves less."""
    few = f"data.limit={RESIDENT_ROWS}"
    sides = {
        "disk": Declared(setup(folder, "data.resident=false")),
        "memory": Declared(setup(folder, few, "data.resident=true")),
    }
    steps = {name: calibrate(side, seconds) for name, side in sides.items()}
    rates: dict[str, list[float]] = {name: [] for name in sides}
    busy: dict[str, list[float]] = {name: [] for name in sides}
    for index in range(rounds):
        for name in list(sides)[:: 1 if index % 2 == 0 else -1]:
            before = time.process_time()
            rates[name].append(rate(sides[name], steps[name]))
            busy[name].append((time.process_time() - before) / steps[name])
    for side in sides.values():
        side.runner.close()
    ratio = statistics.median(a / b for a, b in zip(rates["disk"], rates["memory"], strict=True))
    processor = statistics.median(a / b for a, b in zip(busy["memory"], busy["disk"], strict=True))
    return {"rates": rates, "ratio": ratio, "processor": processor, "parameters": sides["disk"].parameters}


def alone(folder: Path, seconds: float) -> dict[str, float]:
    """Train from the disk, then read an epoch; rows per second of that, and the peak memory of this process."""
    made = setup(folder, "data.resident=false")
    side = Declared(made)
    side.run(8)
    steps = calibrate(side, seconds)
    side.run(steps)
    side.runner.close()
    schedule = side.runner.schedule
    train = made.dataset.splits["train"]
    start = time.perf_counter()
    with BlockPrefetch(train, schedule, 0, 16, masked=False, threads=2) as batches:
        for _ in range(schedule.steps_per_epoch // 16):
            batches.take(16)
    seconds_read = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"rows_per_s": len(train) / seconds_read, "peak_mib": peak}


def write_images(folder: Path, count: int) -> list[Path]:
    """JPEG files of 480 x 360 pixels: smooth shapes and noise, about 60 KiB each."""
    folder.mkdir()
    generator = np.random.default_rng(0)
    down, across = np.mgrid[0:360, 0:480]
    files = []
    for index in range(count):
        waves = np.sin(down / (7 + index % 11)) + np.cos(across / (5 + index % 13))
        pixels = waves[..., None] * 50 + 120 + generator.normal(0, 12, (360, 480, 3))
        files.append(folder / f"{index:05}.jpg")
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(files[-1], quality=90)
    return files


def decode(files: list[Path], workers: int, threads: int, rounds: int) -> float:
    """Images per second, resized to 128 x 128, as a training stream reads them; the median of the rounds."""
    source = ImageFiles(
        files, np.zeros(len(files), np.int32), (128, 128), "rgb", "stretch", resize=True, workers=workers
    )
    schedule = BatchSchedule(len(files), 32, seed=0, last="drop")
    found = []
    with BlockPrefetch(source, schedule, 0, 4, masked=False, threads=threads) as batches:
        batches.take(4)  # starts the processes
        for _ in range(rounds):
            start = time.perf_counter()
            for _ in range(4):
                batches.take(4)
            found.append(16 * 32 / (time.perf_counter() - start))
    return statistics.median(found)


def main(words: list[str]) -> None:
    """Write, measure, tell and delete."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--folder", type=Path, help="where to write (default: the folder for temporary files)")
    parser.add_argument("--gib", type=float, default=4.0, help="size of the rows (default: 4)")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each side (default: 5)")
    parser.add_argument("--seconds", type=float, default=6.0, help="about how long one turn takes (default: 6)")
    parser.add_argument("--images", type=int, default=400, help="JPEG files to decode (default: 400)")
    parser.add_argument("--no-decode", action="store_true", help="leave the decoding out")
    parser.add_argument("--alone", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(words)
    if options.alone:
        print(json.dumps(alone(options.alone, options.seconds)))
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was written is deleted then, too
    rows = int(options.gib * (1 << 30)) // ROW_BYTES
    free = shutil.disk_usage(options.folder or tempfile.gettempdir()).free
    if free < 1.2 * rows * ROW_BYTES:
        raise SystemExit(f"{free / 2**30:.1f} GiB are free, {1.2 * options.gib:.1f} are wanted: --folder or --gib")
    with tempfile.TemporaryDirectory(prefix="fw-data-", dir=options.folder) as name:
        folder = Path(name)
        write_rows(folder / "rows", rows)
        found = compare(folder / "rows", options.rounds, options.seconds)
        for side, rates in found["rates"].items():
            print(f"{side:>8}: {statistics.median(rates):7.1f} steps/s  ({min(rates):.1f} - {max(rates):.1f})")
        print(f"disk / memory: {found['ratio']:.3f} by the clock, {found['processor']:.3f} in processor time")
        print(f"{found['parameters']:,} parameters, {jax.devices()[0].device_kind}")
        again = [sys.executable, __file__, "--alone", str(folder / "rows"), "--seconds", str(2 * options.seconds)]
        told = json.loads(subprocess.run(again, check=True, capture_output=True, text=True).stdout)
        size = rows * ROW_BYTES / 2**30
        print(f"peak memory of training and reading {size:.1f} GiB: {told['peak_mib']:,.0f} MiB")
        print(f"reading alone: {told['rows_per_s']:,.0f} rows/s, {told['rows_per_s'] * ROW_BYTES / 1e6:,.0f} MB/s")
        if not options.no_decode:
            files = write_images(folder / "images", options.images)
            for workers, threads in ((0, 1), (0, 2), (1, 2), (2, 2)):
                speed = decode(files, workers, threads, options.rounds)
                print(f"JPEG, {workers} processes, {threads} threads: {speed:,.0f} images/s")


if __name__ == "__main__":
    main(sys.argv[1:])
