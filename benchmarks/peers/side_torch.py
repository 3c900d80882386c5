"""A plain PyTorch loop: batches gathered from tensors by index, the loss looked at once at the end.

python benchmarks/peers/side_torch.py WORKLOAD [--compile] [--autocast | --medium]
"""

from __future__ import annotations

import torch  # pyright: ignore[reportMissingImports] - peers have an environment of their own
from protocol import channel, serve
from torch_models import cost, make, tensors
from workload import LEARNING_RATE, Workload, parser


class Torch:
    """Eager, or with the forward pass and the loss compiled; in float32, or with autocast to bfloat16."""

    def __init__(self, work: Workload, compiled: bool, autocast: bool) -> None:
        self.autocast = autocast
        self.version = f"PyTorch {torch.__version__.partition('+')[0]}{', compiled' if compiled else ''}"
        self.model = make(work)
        if work.model == "cnn":
            self.model = self.model.to(memory_format=torch.channels_last)
        self.inputs, self.labels = tensors(work)
        # PyTorch's one-kernel Adam: its default is slower on CPUs.
        self.optimizer = torch.optim.Adam(self.model.parameters(), LEARNING_RATE, fused=True)
        self.batches = work.batches()
        self.objective = torch.compile(self._objective) if compiled else self._objective

    @property
    def parameters(self) -> int:
        """How many trained numbers the model has."""
        return sum(parameter.numel() for parameter in self.model.parameters())

    def _objective(self, inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.autocast):
            return cost(self.model(inputs), labels)

    def run(self, steps: int) -> tuple[int, float]:
        """Take so many steps."""
        loss = torch.zeros(())
        for _, rows in zip(range(steps), self.batches, strict=False):
            index = torch.from_numpy(rows)
            self.optimizer.zero_grad()
            loss = self.objective(self.inputs[index], self.labels[index])
            loss.backward()
            self.optimizer.step()
        return steps, loss.item()


if __name__ == "__main__":
    answers = channel()
    words = parser(__doc__ or "")
    words.add_argument("--compile", action="store_true")
    words.add_argument("--autocast", action="store_true")
    words.add_argument("--medium", action="store_true", help="let products of float32 numbers take bfloat16")
    options = words.parse_args()
    torch.set_num_threads(2)
    if options.medium:
        torch.set_float32_matmul_precision("medium")
        torch.backends.mkldnn.conv.fp32_precision = "bf16"
    serve(Torch(Workload.load(options.workload), options.compile, options.autocast), answers)
