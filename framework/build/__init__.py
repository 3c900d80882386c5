"""The one stair from a frozen `Config` to an `Experiment` of pure functions. Nothing behind it sees a config node."""
