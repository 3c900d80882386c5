"""The convolutional network computes under every layout what it computes on one device."""

from __future__ import annotations

from agreement import Agreement


class TestCnn(Agreement):
    model = "cnn"
