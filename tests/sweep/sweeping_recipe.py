"""A recipe that trains in a moment."""

from __future__ import annotations

TINY = """\
defaults:
  - override /data: iris
  - override /losses: classification
  - override /metrics: classification
  - override /optimizer: adamw
  - override /report: quiet

data:
  batch_size: 32

network:
  args: {width: 8, dropout: 0.1}
  layers:
    hidden: {dense: {features: "=width"}}
    act:    relu
    drop:   {dropout: {rate: "=dropout"}}
    logits: {dense: {features: "${data.classes}"}}

trainer:
  steps: 4
  log_every_steps: 2
  validate_every_steps: 2
"""
