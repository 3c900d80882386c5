"""From a plain tree to a frozen `Config`, or every mistake in it at once: key, found, expected, fix. JAX-free."""
