"""The progress on the terminal, for a run that is set up."""

from __future__ import annotations

from framework.report.console import TrainingDisplay
from framework.train.setup import Setup


def console_for(setup: Setup) -> TrainingDisplay:
    """The display that the section `report` asks for."""
    experiment, data = setup.experiment, setup.config.data
    examples = len(setup.dataset.splits["train"])
    per_epoch = examples // data.batch_size if data.last_batch == "drop" else -(-examples // data.batch_size)
    return TrainingDisplay(
        setup.config.name,
        total_steps=experiment.total_steps,
        steps_per_epoch=per_epoch,
        batch_size=data.batch_size,
        mode=setup.config.report.progress,
    )
