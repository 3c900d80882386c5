"""What layers for pictures ask of their input: [batch, height, width, channels] of real numbers."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from framework.network.layers.wording import printed


def check_picture(x: jax.Array, layer: str) -> None:
    """Refuse what is not a batch of pictures.

    Raises:
      ValueError: the rank is not 4.
    """
    if x.ndim != 4:
        raise ValueError(
            f"found rank {x.ndim} {printed(x.shape)}, {layer} needs [batch, height, width, channels]; "
            "put a reshape before it, e.g. {reshape: {shape: [8, 8, 1]}}"
        )


def check_real(x: jax.Array, layer: str) -> None:
    """Refuse integers, which cannot hold what is between two of them.

    Raises:
      ValueError: the dtype is not a floating one.
    """
    if not jnp.issubdtype(x.dtype, jnp.floating):
        raise ValueError(f"found {x.dtype}, {layer} needs real numbers; put {{cast: {{dtype: float32}}}} before it")
