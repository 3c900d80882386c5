"""The words and options that several verbs share."""

from __future__ import annotations

from pathlib import Path

from framework.cli.arguments import VerbParser, one_of
from framework.core.errors import ConfigError, Problem
from framework.core.words import closest


def add_recipe(parser: VerbParser, *, overrides: bool = True) -> None:
    """Declare RECIPE, its overrides and the options that say where to look for it."""
    parser.word("recipe", metavar="RECIPE", help="a name out of `fw list recipes`, or the path of a YAML file")
    if overrides:
        parser.word(
            "overrides", metavar="OVERRIDE", nargs="*", help="Hydra's grammar, e.g. optimizer.learning_rate=1e-3"
        )
    add_places(parser)


def add_places(parser: VerbParser) -> None:
    """Declare `--config-dir` and `--trust`."""
    add_config_dir(parser)
    parser.option(
        "--trust",
        metavar="PREFIX",
        action="append",
        default=[],
        help="allow `_target_: PREFIX...` to import your code; may be repeated",
    )


def add_config_dir(parser: VerbParser) -> None:
    """Declare `--config-dir`."""
    parser.option(
        "--config-dir",
        metavar="DIR",
        type=_folder,
        action="append",
        default=[],
        help="a folder of your own config groups and recipes/; may be repeated",
    )


def _folder(text: str) -> str:
    if not Path(text).is_dir():
        found = "is a file" if Path(text).exists() else "does not exist"
        raise ConfigError(Problem("--config-dir", f"{text} {found}", "a folder", fix="check the path"))
    return text


def add_composition(parser: VerbParser) -> None:
    """Declare Hydra's own ways to look at a composed recipe."""
    parser.option(
        "--cfg",
        metavar="job|hydra|all",
        type=one_of("--cfg", "job", "hydra", "all"),
        help="print the composed YAML and stop",
    )
    parser.option("--resolve", action="store_true", help="with --cfg: interpolations resolved")
    parser.option("--info", metavar="KIND", help="Hydra's all, config, defaults, defaults-tree, plugins or searchpath")


def add_multirun(parser: VerbParser) -> None:
    """Declare `--multirun`."""
    parser.option(
        "-m",
        "--multirun",
        action="store_true",
        help="run every combination of comma-separated overrides, as Hydra expands them",
    )


def add_run(parser: VerbParser) -> None:
    """Declare RUN, `--checkpoint` and `--trust`."""
    parser.word("run", metavar="RUN", type=Path, help="a run directory, such as runs/digits_mlp/2025-01-31_12-00-00")
    parser.option(
        "--checkpoint", metavar="WHICH", type=_checkpoint, default="best", help="best (default), last, or a step"
    )
    parser.option(
        "--trust", metavar="PREFIX", action="append", default=[], help="allow the recipe's `_target_: PREFIX...`"
    )


def _checkpoint(text: str) -> str | int:
    if text in ("best", "last"):
        return text
    if text.isascii() and text.isdigit():
        return int(text)
    near = closest(text, ("best", "last"))
    raise ConfigError(
        Problem(
            "--checkpoint",
            f"unknown value '{text}'",
            expected="best, last, or the number of a step",
            fix=f"--checkpoint {near or 'best'}",
        )
    )
