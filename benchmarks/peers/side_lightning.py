"""Lightning's Trainer over the PyTorch models, without logger, checkpoints, progress bar and validation.

python benchmarks/peers/side_lightning.py WORKLOAD [--mixed]

The data loader gathers whole batches by index, which is several times faster than collating single examples.
"""

from __future__ import annotations

import logging
import warnings
from typing import Any

import lightning  # pyright: ignore[reportMissingImports] - peers have an environment of their own
import torch  # pyright: ignore[reportMissingImports]
from protocol import channel, serve
from torch.utils.data import (  # pyright: ignore[reportMissingImports]
    BatchSampler,
    DataLoader,
    RandomSampler,
    TensorDataset,
)
from torch_models import cost, make, tensors
from workload import LEARNING_RATE, Workload, parser


class Module(lightning.LightningModule):
    """A model with its objective."""

    def __init__(self, work: Workload) -> None:
        super().__init__()
        self.model = make(work)
        if work.model == "cnn":
            self.model = self.model.to(memory_format=torch.channels_last)
        self.latest = torch.zeros(())

    def training_step(self, batch: Any, index: int) -> torch.Tensor:
        """The loss of a batch."""
        loss = cost(self.model(batch[0]), batch[1])
        self.latest = loss.detach()
        return loss

    def configure_optimizers(self) -> Any:
        """Adam."""
        return torch.optim.Adam(self.parameters(), LEARNING_RATE, fused=True)


class Lightning:
    """One `fit` for each turn; the module goes on from where the last one ended."""

    def __init__(self, work: Workload, mixed: bool) -> None:
        self.precision: Any = "bf16-mixed" if mixed else "32-true"
        self.version = f"Lightning {lightning.__version__}"
        self.module = Module(work)
        data = TensorDataset(*tensors(work))
        sampler = BatchSampler(RandomSampler(data), work.batch_size, drop_last=True)
        self.loader = DataLoader(data, sampler=sampler, batch_size=None)

    @property
    def parameters(self) -> int:
        """How many trained numbers the model has."""
        return sum(parameter.numel() for parameter in self.module.parameters())

    def run(self, steps: int) -> tuple[int, float]:
        """Take so many steps."""
        trainer = lightning.Trainer(
            accelerator="cpu",
            devices=1,
            precision=self.precision,
            max_steps=steps,
            max_epochs=-1,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(self.module, self.loader)
        return steps, self.module.latest.item()


if __name__ == "__main__":
    answers = channel()
    words = parser(__doc__ or "")
    words.add_argument("--mixed", action="store_true", help="bf16-mixed")
    options = words.parse_args()
    warnings.simplefilter("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    torch.set_num_threads(2)
    serve(Lightning(Workload.load(options.workload), options.mixed), answers)
