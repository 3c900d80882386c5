"""Model FLOPs utilization: which share of a device's peak the arithmetic of a model takes."""

from __future__ import annotations

PEAKS = (
    ("H200 NVL", 835e12),
    ("H200", 989e12),
    ("H100 PCIe", 756e12),
    ("H100 NVL", 835e12),
    ("H100", 989e12),
    ("A100", 312e12),
    ("L40S", 362e12),
    ("L4", 121e12),
)
"""Part of a device's name -> FLOPs per second in bfloat16, dense; the first that is found counts.

Source: NVIDIA's datasheets of these products; where one gives the rate with sparsity, half of it.
"""


def peak_of(device_kind: str) -> float | None:
    """The peak of a device by its name, or None where it is not known."""
    return next((peak for name, peak in PEAKS if name in device_kind), None)


def flops_per_token(parameters: int, *, depth: int, width: int, context: int) -> float:
    """Floating-point operations of a training step per token: 6 N + 12 L H Q T.

    N parameters, L layers, H heads of Q features (H Q is the width), T tokens of context. The backward pass counts
    twice the forward pass; what is computed again (remat) counts nothing, and attention counts in full although half of
    it is masked.

    Args:
      parameters: N; those of a table of positions, which multiply nothing, left out.

    Source: Chowdhery et al., PaLM, arXiv:2204.02311, appendix B.
    """
    return 6.0 * parameters + 12.0 * depth * width * context


def mfu(tokens_per_second: float, flops: float, peak: float) -> float:
    """The share of the peak: observed tokens per second over those at which all of it would be used."""
    return tokens_per_second * flops / peak
