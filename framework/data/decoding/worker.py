"""A process that decodes images: paths come by its standard input, pixels go by its standard output.

A request is one line of JSON: a list of paths. The answer to each path is a header (`HEADER`) and so many bytes: the
pixels, or the problem as JSON. The process ends when its input does, so it never outlives the one that started it, and
it ignores SIGINT and SIGTERM, which a terminal and a scheduler send to all processes: the other one still needs batches
while it saves its state.
"""

from __future__ import annotations

import json
import os
import signal
import struct
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from framework.core.errors import DataError
from framework.data.pictures import read_picture

HEADER = struct.Struct("<BIIIQ")
"""Whether it is an image (1) or a problem (0), height, width, channels, and how many bytes follow."""


def main() -> None:
    """Answer requests until the input ends."""
    for stopping in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stopping, signal.SIG_IGN)
    asked, answers = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # Whatever a library prints must not end up among the pixels.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    how = json.loads(asked.readline() or "null")
    while line := asked.readline():
        for path in json.loads(line):
            _answer(answers, path, how)
        answers.flush()


def _answer(answers: Any, path: str, how: dict[str, Any]) -> None:
    size = None if how["size"] is None else tuple(how["size"])
    try:
        pixels = read_picture(Path(path), size, how["mode"], how["fit"])
    except DataError as error:
        told = json.dumps([asdict(problem) for problem in error.problems]).encode()
        answers.write(HEADER.pack(0, 0, 0, 0, len(told)) + told)
        return
    answers.write(HEADER.pack(1, *pixels.shape, pixels.nbytes))
    answers.write(pixels.data)
