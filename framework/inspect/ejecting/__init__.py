"""A recipe as a script in plain Flax and Optax that needs nothing of this package."""
