"""Members of a group as one program, or one after another where they cannot be one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from framework.core.errors import ConfigError, Problem
from framework.sweep import sequential
from framework.sweep.members import Director, Member
from framework.sweep.vectorized import NotTogetherError, run_group

if TYPE_CHECKING:
    from framework.train.setup import Setup


def run_together(
    members: Sequence[Member],
    director: Director,
    *,
    population: bool,
    tell: Callable[[str], None],
    setup: Setup | None = None,
) -> None:
    """Run members of one compile signature.

    Args:
      population: members take over each other's states, which those that run one after another cannot.
      tell, setup: see `run_group`.

    Raises:
      ConfigError: a population does not run as one program, or see `run_group`.
    """
    try:
        run_group(members, director, tell=tell, setup=setup)
    except NotTogetherError as error:
        if population:
            found, fix = f"members do not run as one program: {error}", "sweep.sampler=random"
            raise ConfigError(Problem("sweep.sampler", found, "a population that does", None, fix)) from None
        sequential.run_group(members, director)
