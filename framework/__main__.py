"""`python -m framework` is `fw`."""

from __future__ import annotations

import gc
import sys

from framework.cli.main import main


def command() -> int:
    """What the command `fw` calls: `main`, in a process that ends with it."""
    code = main()
    gc.freeze()  # else all that is left would be looked through once more while the process ends
    return code


if __name__ == "__main__":
    sys.exit(command())
