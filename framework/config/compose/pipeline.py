"""Load a recipe by name, or the `config.yaml` of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from framework.config.compose.loaded import Loaded
from framework.core.errors import ConfigError, Problem

if TYPE_CHECKING:
    from framework.config.compose.composer import Composition


def load(
    recipe: str,
    overrides: Sequence[str] = (),
    *,
    config_dirs: Sequence[str | Path] = (),
    trust: Sequence[str] = (),
) -> Loaded:
    """Compose and validate a recipe.

    Args:
      recipe: a bare name (`digits_mlp`), a name with its folder (`vision/digits_mlp`), or the path of a `.yaml` file.
      overrides: in Hydra's grammar; a value may be set whether or not its key is written in the recipe.
      config_dirs: folders of config groups of the user's own, each with or without a folder `recipes`.
      trust: dotted prefixes that `_target_` may name; `hydra` admits `hydra:` nodes.

    Raises:
      ConfigError: anything is wrong with the recipe or the overrides; all problems at once.
    """
    return Recipe(recipe, config_dirs=config_dirs, trust=trust).load(overrides)


class Recipe:
    """A recipe that is loaded with many sets of overrides: what does not depend on them is done once.

    Args:
      recipe, config_dirs, trust: as for `load`.

    Raises:
      ConfigError: there is no such recipe.
    """

    def __init__(self, recipe: str, *, config_dirs: Sequence[str | Path] = (), trust: Sequence[str] = ()) -> None:
        from framework.config.compose.composer import Composer
        from framework.config.compose.names import find, groups

        self._given = (recipe, tuple(config_dirs), tuple(trust))
        self.entry = find(recipe, config_dirs)
        self.subject = f"recipe {self.entry.name}"
        self._composer = Composer(self.entry, config_dirs, trust)
        self._groups = groups(config_dirs)
        self._trust = tuple(trust)

    def __reduce__(self) -> tuple[Any, ...]:
        return _recipe, self._given

    def compose(self, overrides: Sequence[str]) -> Composition:
        """The composition with these overrides, neither resolved nor validated.

        Raises:
          ConfigError: it does not compose.
        """
        from framework.config.compose.origins import DEFAULT

        try:
            composition = self._composer.compose(overrides)
        except ConfigError as error:
            raise ConfigError(error.problems, self.subject) from None
        if "name" not in composition.tree:
            composition.ledger.override("name", self.entry.name, DEFAULT)
        tree = _ordered({"name": self.entry.name, **composition.tree})
        return replace(composition, tree=tree)

    def load(self, overrides: Sequence[str] = ()) -> Loaded:
        """What `load` gives for these overrides.

        Raises:
          ConfigError: as for `load`.
        """
        entry, composition = self.entry, self.compose(overrides)
        ledger = composition.ledger
        return _finish(
            composition.tree,
            subject=self.subject,
            trust=self._trust,
            groups=self._groups,
            origins=ledger.origins,
            history=ledger.history,
            written=ledger.written,
            choices=composition.choices,
            overrides=tuple(text for text in overrides if not text.lstrip("+~").startswith(("hydra.", "hydra/"))),
            file_shown=entry.shown,
            name=entry.name,
            recipe_file=entry.file,
            header=entry.header,
        )


def _recipe(recipe: str, config_dirs: tuple[str | Path, ...], trust: tuple[str, ...]) -> Recipe:
    return Recipe(recipe, config_dirs=config_dirs, trust=trust)


def load_file(path: str | Path, *, trust: Sequence[str] = ()) -> Loaded:
    """Validate a resolved recipe as it is, such as the `config.yaml` of a run directory.

    Nothing is composed and no interpolation is resolved; bounds, trust and validation are those of `load`.

    Raises:
      ConfigError: the file cannot be read, or is not a valid, complete recipe.
    """
    from framework.config.compose.document import read
    from framework.config.compose.origins import Ledger
    from framework.config.compose.roots import shown

    file = Path(path)
    subject = f"file {shown(file)}"
    try:
        document = read(file, shown(file))
    except ConfigError as error:
        raise ConfigError(error.problems, subject) from None
    if not isinstance(document.value, dict):
        raise ConfigError(
            Problem(
                document.shown, "the file holds no sections", "a resolved recipe", document.origin(), "fw train RECIPE"
            ),
            subject,
        )
    if "defaults" in document.value:
        raise ConfigError(
            Problem(
                "defaults",
                "a recipe to be composed, not a resolved one",
                "the config.yaml of a run",
                document.origin(("defaults",)),
                f"fw train {path}",
            ),
            subject,
        )
    ledger = Ledger()
    ledger.file(document, "", document.value)
    return _finish(
        document.value,
        subject=subject,
        trust=trust,
        groups={},
        origins=ledger.origins,
        history=ledger.history,
        written=ledger.written,
        choices={},
        overrides=(),
        file_shown=document.shown,
        name=str(document.value.get("name", file.stem)),
        recipe_file=file,
        header=document.header,
        resolve=False,
    )


def job_yaml(
    recipe: str,
    overrides: Sequence[str] = (),
    *,
    config_dirs: Sequence[str | Path] = (),
    trust: Sequence[str] = (),
    resolve: bool = False,
) -> str:
    """The composed recipe as YAML, neither validated nor, unless `resolve`, resolved.

    Raises:
      ConfigError: the recipe does not compose, or an interpolation cannot be resolved.
    """
    from framework.config.compose.resolve import Resolved
    from framework.config.compose.text import dump

    source = Recipe(recipe, config_dirs=config_dirs, trust=trust)
    composition = source.compose(overrides)
    tree = composition.tree
    if not resolve:
        return dump(tree)
    resolved = Resolved(tree)
    if resolved.problems:
        raise ConfigError(resolved.problems, source.subject).located(composition.ledger.origins)
    return dump(resolved.tree)


def _ordered(tree: dict[str, Any]) -> dict[str, Any]:
    """The sections in the order of the schema, whatever the order in which files brought them."""
    from framework.config.schema.root import Config

    known = {name: tree[name] for name in Config.model_fields if name in tree}
    return {**known, **tree}


def _finish(
    raw: dict[str, Any],
    *,
    subject: str,
    trust: Sequence[str],
    groups: Mapping[str, Sequence[str]],
    written: Mapping[str, str],
    file_shown: str,
    resolve: bool = True,
    **about: Any,
) -> Loaded:
    """Resolve, check trust, validate. A problem of a key that nobody set is put down to the recipe's file."""
    from framework.config.compose.misplaced import told_of_merging, unknown_nodes
    from framework.config.compose.trust import untrusted
    from framework.config.validation.check import validate

    tree, texts, problems = raw, {}, []
    if resolve:
        from framework.config.compose.resolve import Resolved

        resolved = Resolved(raw)
        tree, texts, problems = resolved.tree, resolved.texts, resolved.problems
    origins = about["origins"]
    refused = untrusted(tree, trust)
    problems = [*problems, *unknown_nodes(about["history"])]
    try:
        if refused:
            raise ConfigError([*problems, *refused], subject).located(origins)
        config = validate(
            tree, subject, origins=origins, written=written, groups=groups, excused=tuple(texts), told=problems
        )
    except ConfigError as error:
        told = told_of_merging(error.problems, about["choices"], about["history"])
        placed = (replace(problem, origin=problem.origin or file_shown) for problem in told)
        raise ConfigError(placed, subject) from None
    return Loaded(config=config, tree=tree, interpolations=texts, subject=subject, **about)
