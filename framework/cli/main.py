"""The entry point: finds the verb, runs it, and turns what was raised into words and an exit code."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from keyword import iskeyword
from pathlib import Path

from framework.core.errors import ConfigError, FrameworkError, Problem
from framework.core.familiar import familiar_verb
from framework.core.words import closest, listed
from framework.runtime.garbage import collector_rests

BROKEN_PIPE = 141  # what a shell reports of a program that SIGPIPE ended
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def main(argv: Sequence[str] | None = None) -> int:
    """Run `fw` with these words (default: those of the process) and give its exit code.

    0: done. 1: a defect of the framework. 2: a mistake in the command, the recipe, the data or the run directory.
    130: interrupted.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    traceback_wanted = "--traceback" in words or os.environ.get("FW_TRACEBACK", "") not in ("", "0")
    words = [word for word in words if word != "--traceback"]
    try:
        with collector_rests():
            code = _dispatch(words)
        sys.stdout.flush()
    except FrameworkError as error:
        if traceback_wanted:
            _print_traceback()
        from framework.cli.printing import print_error

        print_error(error)
        return error.exit_code
    except BrokenPipeError:
        # Whoever read our output has gone (`fw list | head`). Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except KeyboardInterrupt:
        if traceback_wanted:
            _print_traceback()
        print("interrupted", file=sys.stderr)
        return 130
    except Exception as error:
        full = isinstance(error, OSError) and error.errno in _NO_ROOM
        if isinstance(error, OSError) and (error.filename is not None or full) and not traceback_wanted:
            # The machine's affair, not ours: a full disk, a missing right, a folder that vanished.
            place = error.filename if error.filename is not None else "a file could not be written"
            fix = "free some space, then type the same command again; " if full else ""
            print(f"{place}: {error.strerror}\n  fix:       {fix}FW_TRACEBACK=1 shows where", file=sys.stderr)
            return 2
        _print_traceback()
        if isinstance(error, FloatingPointError):
            # JAX raises it on request alone, and the traceback is what was asked for.
            print("\nJAX_DEBUG_NANS stopped here; without it the run tells the step", file=sys.stderr)
            return 2
        print(
            "\nThis is a defect of the framework, not a mistake of yours. "
            "Please report it with the lines above and the output of `fw doctor`.",
            file=sys.stderr,
        )
        return 1
    return code


def _dispatch(words: list[str]) -> int:
    from framework.cli.verbs import VERBS, help_text

    if not words or words[0] in ("-h", "--help", "help"):
        if len(words) > 1 and words[0] == "help":
            return _dispatch([words[1], "--help"])
        sys.stdout.write(help_text())
        return 0
    if words[0] in ("-V", "--version"):
        import framework

        print(f"framework {framework.__version__}")
        return 0
    verb, rest = words[0], words[1:]
    if verb not in VERBS:
        raise _unknown_verb(verb, rest, list(VERBS))
    # A word of Python, such as `import`, is no name that other modules could import.
    module = import_module(f"framework.cli.{verb}{'_' if iskeyword(verb) else ''}")
    parser = module.parser()
    if "-h" in rest or "--help" in rest:
        sys.stdout.write(parser.format_help())
        return 0
    options = parser.parse(rest)
    if getattr(options, "trust", None):
        # A user's own modules lie in the working directory, to which the installed script has no path. It comes last,
        # so that a file there never stands in for an installed package.
        sys.path.append(str(Path.cwd()))
    return module.execute(options)


def _unknown_verb(verb: str, rest: list[str], verbs: list[str]) -> ConfigError:
    if verb.startswith("-"):
        return ConfigError(
            Problem("fw", f"unknown option '{verb}'", expected="a verb first, then its options", fix="fw --help")
        )
    near = closest(verb, verbs, cutoff=0.75) or familiar_verb(verb, verbs) or closest(verb, verbs)
    fix = " ".join(["fw", near, *rest]) if near else "fw --help"
    return ConfigError(Problem("fw", f"unknown verb '{verb}'", expected=listed(verbs, limit=20), fix=fix))


def _print_traceback() -> None:
    import traceback

    traceback.print_exc()
