"""How a run is laid out over devices: one `Strategy` per layout, all of which mean the same computation."""
