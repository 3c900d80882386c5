"""The end of a part: evaluation and predictions of all members, and the files that a finished run has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax

from framework.config.schema.root import Config
from framework.core.files import write_together
from framework.core.trees import size
from framework.parallel.single import Single
from framework.report.jsonl import read_records
from framework.report.tensorboard import write_at_once
from framework.sweep.hparams import hparams
from framework.sweep.members import Ending
from framework.sweep.outcome import final_metrics
from framework.sweep.vectorized.tracks import Track
from framework.train import results
from framework.train.evaluation import Evaluator

if TYPE_CHECKING:
    from framework.sweep.vectorized.part import Part


def finish(part: Part, seconds: float) -> None:
    """Evaluate the members that trained to the end, write what runs alone write, and tell the director.

    Args:
      seconds: that the part took until now; each member has its share.
    """
    config = part.setup.config
    done = [track for track in part.tracks if not track.failure and not track.pruned]
    chosen = _chosen(part, done)
    metrics: list[dict[str, Any]] = [{} for _ in done]
    if "evaluate" in config.run.stages:
        for split in part.setup.evaluated_splits:
            for told, found in zip(metrics, part.evaluate(chosen, split, done), strict=True):
                told[split] = found
    parameters = size(part.like.params)
    share = seconds / len(part.tracks)
    files: dict[Path, str] = {}
    for track, told in zip(done, metrics, strict=True):
        files |= _files(track, told, parameters, share, config)
    write_together(files)
    if config.report.tensorboard:
        evaluated = dict(zip((track.place for track in done), metrics, strict=True))
        for track in part.tracks:
            _tell_tensorboard(track, evaluated.get(track.place))
    if "predict" in config.run.stages:
        _predict(part, chosen, done)
    for track in part.tracks:
        if track.pruned:
            ending = Ending("pruned", dict(track.records.valid), share, track.pruned)
            part.director.ended(track.member.number, ending)
    for track in done:
        values = final_metrics(config, track.home.directory.path)
        part.director.ended(track.member.number, Ending("done", values, share))


def _chosen(part: Part, done: list[Track]) -> Any:
    """The states to evaluate: the best of each member, or its last."""
    if part.setup.config.run.evaluate_checkpoint == "last" or part.best is None:
        return part.state
    part.keep([track for track in done if track.marks.best is None])
    return part.best


def _files(
    track: Track, metrics: Mapping[str, Any], parameters: int, seconds: float, config: Config
) -> dict[Path, str]:
    """`result.json` and `stages.json`, as the stages of a run alone write them."""
    progress, path = track.progress, track.home.directory.path
    summary = results.trained(config, track.step, parameters, seconds, progress)
    result, stages = dict(summary), {"train": summary}
    if metrics:
        best = config.checkpoint.enabled and config.run.evaluate_checkpoint == "best"
        step = track.step if not best or progress.best_step is None else progress.best_step
        more, stages["evaluate"] = results.evaluated(metrics, step)
        result |= more
    return {
        path / "result.json": json.dumps(result, indent=2) + "\n",
        path / "stages.json": json.dumps(stages, indent=2) + "\n",
    }


def _tell_tensorboard(track: Track, metrics: Mapping[str, Any] | None) -> None:
    """The event file of a member; only one that was evaluated gets a row in the table of hyperparameters."""
    directory = track.home.directory
    scalars = {
        f"{split}/{name}": value
        for split, found in (metrics or {}).items()
        for name, value in found.items()
        if not isinstance(value, list)
    }
    write_at_once(
        directory.tensorboard,
        read_records(directory.metrics),
        yaml_text=directory.config.read_text(encoding="utf-8"),
        tree=hparams(track.member.loaded) if scalars else None,
        metrics=scalars,
        step=track.step,
    )


def _predict(part: Part, chosen: Any, done: list[Track]) -> None:
    """The stage `predict` of each member: `predictions/<split>.npz`."""
    evaluator = Evaluator(part.experiment, part.setup.dataset, Single.default())
    stacked = jax.device_get(chosen)
    for track in done:
        state = jax.tree.map(lambda leaf, place=track.place: leaf[place], stacked)
        directory = track.home.directory
        directory.finish("predict", results.predicted(evaluator, state, part.setup.evaluated_splits, directory.path))
