"""How a run is laid out over devices: one `Strategy` per layout, behind `place`, `replicate` and `compile`."""
