"""What a compiled program depends on besides its text: versions and the processor. Never imports JAX."""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import version

from framework.core.processor import processor_features


def identity() -> str:
    """A short name that two processes share only if one may run what the other compiled.

    JAX's own key holds neither the features of the processor nor the version of XLA's runtime, so that a folder shared
    by unlike machines would hand out programs with instructions that the processor lacks.
    """
    parts = [version("jax"), version("jaxlib"), platform.system(), platform.machine(), _processor()]
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
    return f"jax-{parts[0]}-{digest}"


def _processor() -> str:
    """The features of the first processor; its name where the system does not list them."""
    features = processor_features()
    return platform.processor() if features is None else features
