"""From text to a frozen, typed `Config`: Hydra composes, pydantic validates, every leaf remembers its origin. JAX-free."""
