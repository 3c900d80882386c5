"""From text to a frozen `Config`: Hydra composes, pydantic validates, each leaf remembers its origin. JAX-free."""
