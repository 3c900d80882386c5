"""One of several processes at work on a sweep: `python -m framework.sweep.search.worker REQUEST`."""

from __future__ import annotations

import sys

from framework.core.errors import FrameworkError, Interrupted
from framework.sweep.driver import sweep
from framework.sweep.search.workers import read


def main() -> int:
    """Run until nothing is left."""
    try:
        sweep(read(sys.argv[1:]), tell=lambda line: print(line, flush=True))
    except Interrupted as stopped:
        print(stopped)
        return stopped.exit_code
    except FrameworkError as error:
        print(error)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
