"""The mixture of experts computes under every layout what it computes on one device."""

from __future__ import annotations

from agreement import Agreement


class TestMoe(Agreement):
    model = "moe"
