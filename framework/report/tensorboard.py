"""TensorBoard: curves, the recipe as text, hyperparameters beside the final metrics, figures and matrices as images."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from framework.core.files import unwritable
from framework.core.keypaths import flatten

_CELL_PIXELS = 16
_BOOKKEEPING = ("step", "epoch", "split", "nonfinite")


class TensorBoard:
    """Event files of a run, one tag a number: `train/loss`, `valid/accuracy`. A background thread writes them.

    Args:
      folder: where the event files go; made where it is missing.
      purge_step: when a run is taken up again, the first step that will be told anew. What an earlier process told of
        it and of later steps is hidden, so that no step shows twice.

    Raises:
      RunError: the folder cannot be written.
    """

    def __init__(self, folder: Path, *, purge_step: int | None = None) -> None:
        from tensorboardX import SummaryWriter

        try:
            self._writer = SummaryWriter(str(folder.absolute()), purge_step=purge_step, max_queue=1000, flush_secs=30)
        except OSError as error:
            raise unwritable(folder, error) from error

    def record(self, record: Mapping[str, Any]) -> None:
        """Adds the numbers of one record of the metric log at its step."""
        self._scalars(_numbers(record), record["step"])

    def config(self, yaml_text: str) -> None:
        """Shows the recipe as text."""
        self._writer.add_text("recipe", _as_markdown(yaml_text), 0)

    def hparams(self, tree: Mapping[str, Any], metrics: Mapping[str, float], step: int) -> None:
        """Adds the run to the table of hyperparameters.

        Args:
          tree: the resolved recipe; each setting becomes a column by its dotted key.
          metrics: the final metrics by tag, such as `test/accuracy`.
          step: the step they belong to.
        """
        from tensorboardX.summary import hparams

        for summary in hparams(_settings(tree), dict(metrics)):
            self._events.add_summary(summary)
        self._scalars(metrics, step)

    def matrix(self, tag: str, matrix: Sequence[Sequence[float]], step: int) -> None:
        """Adds a matrix as an image, each row scaled to its sum, dark where it is large. Without Pillow: nothing."""
        import numpy as np

        values = np.asarray(matrix, np.float64)
        shares = values / np.maximum(values.sum(axis=1, keepdims=True), 1)
        pixels = np.kron(255 - np.round(255 * shares), np.ones((_CELL_PIXELS, _CELL_PIXELS))).astype(np.uint8)
        try:
            self._writer.add_image(tag, pixels, step, dataformats="HW")
        except ModuleNotFoundError:
            return

    def figure(self, tag: str, png: bytes, step: int) -> None:
        """Adds a picture, the content of a PNG file, as it is."""
        self._events.add_summary(_picture(tag, png), step)

    def advance(self, step: int, steps: int, seconds: float) -> None:
        """Nothing: curves are drawn over steps, not over time."""

    def settle(self) -> None:
        """Nothing: what a crash cuts off the curves is still in the metric log."""

    def close(self) -> None:
        """Writes everything and ends the thread."""
        self._writer.close()

    @property
    def _events(self) -> Any:
        return self._writer.file_writer

    def _scalars(self, numbers: Mapping[str, float], step: int) -> None:
        if numbers:
            self._events.add_summary(_summary(numbers), step)


def write_at_once(
    folder: Path,
    records: Iterable[Mapping[str, Any]],
    *,
    yaml_text: str,
    tree: Mapping[str, Any] | None = None,
    metrics: Mapping[str, float] | None = None,
    step: int = 0,
) -> None:
    """Writes what `TensorBoard` would of a run that is over, without a thread: a third of the time, for many runs.

    Args:
      folder: where the event file goes; made where it is missing.
      records: of the metric log.
      yaml_text: the recipe.
      tree: the resolved recipe, for the table of hyperparameters; None leaves it out.
      metrics: the final metrics by tag.
      step: the step they belong to.

    Raises:
      RunError: the folder cannot be written.
    """
    from tensorboardX.event_file_writer import EventsWriter
    from tensorboardX.proto.event_pb2 import Event  # pyright: ignore[reportAttributeAccessIssue]
    from tensorboardX.summary import hparams, text

    summaries = [(text("recipe", _as_markdown(yaml_text)), 0)]
    summaries += [(_summary(_numbers(record)), record["step"]) for record in records]
    if tree is not None:
        summaries += [(summary, 0) for summary in hparams(_settings(tree), dict(metrics or {}))]
        summaries.append((_summary(metrics or {}), step))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writer = EventsWriter(str(folder.absolute() / "events"))
        try:
            for summary, at in summaries:
                event = Event(step=at, wall_time=time.time())
                event.summary.CopyFrom(summary)
                writer.write_event(event)
        finally:
            writer.close()
    except OSError as error:
        raise unwritable(folder, error) from error


def _numbers(record: Mapping[str, Any]) -> dict[str, float]:
    return {
        f"{record['split']}/{name}": value
        for name, value in record.items()
        if name not in _BOOKKEEPING and _is_number(value)
    }


def _settings(tree: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value if _is_number(value) else str(value) for key, value in flatten(tree).items()}


def _as_markdown(yaml_text: str) -> str:
    """Indented by four blanks, Markdown shows it as it stands."""
    return "\n".join(f"    {line}" for line in yaml_text.splitlines())


def _summary(numbers: Mapping[str, float]) -> Any:
    # protobuf makes the class at import, where the type checker cannot see it
    from tensorboardX.proto.summary_pb2 import Summary  # pyright: ignore[reportAttributeAccessIssue]

    # One event for all: `add_scalar` would make one each, and each passes a queue and a checksum in Python.
    values = [Summary.Value(tag=tag.replace(" ", "_"), simple_value=value) for tag, value in numbers.items()]
    return Summary(value=values)


def _picture(tag: str, png: bytes) -> Any:
    from tensorboardX.proto.summary_pb2 import Summary  # pyright: ignore[reportAttributeAccessIssue]

    # The header of every PNG file: after 16 bytes the width and the height, a byte of depth, and the kind of colours.
    width, height, _, colours = struct.unpack_from(">IIBB", png, 16)
    channels = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}[colours]
    image = Summary.Image(width=width, height=height, colorspace=channels, encoded_image_string=png)
    return Summary(value=[Summary.Value(tag=tag.replace(" ", "_"), image=image)])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
