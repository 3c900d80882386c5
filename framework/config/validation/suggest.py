"""Where a key that is not known was meant to go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from framework.config.validation.shapes import NAME, all_keys
from framework.core.familiar import familiar_setting
from framework.core.words import closest


class Suggestions:
    """Looks keys up in a whole schema.

    Args:
      schema: the class of the whole recipe.
      tree: the recipe, for the types and names that it has chosen.
    """

    def __init__(self, schema: type[BaseModel], tree: Mapping[str, Any]) -> None:
        self.schema, self.tree = schema, tree

    def instead_of(self, name: str, section: str, known: Sequence[str]) -> str | None:
        """The full key most likely meant by an unknown `name` in a section that knows `known`; None if none is near.

        First a slip of the pen in the same section, then the same name elsewhere, then what other libraries call so,
        then a name close to it: of a key within a section of a section, one below the same outermost section.
        """
        parts = name.split(".")
        if len(parts) > 1 and section == "" and name in self._keys():
            return name
        prefix = f"{section}." if section else ""
        near = closest(name, known, cutoff=0.8)
        if near:
            return f"{prefix}{near}"
        elsewhere = [key for key in self._keys() if key.rpartition(".")[2] == name and not key.startswith("network.")]
        if elsewhere:
            return min(elsewhere, key=lambda key: (not key.startswith(prefix), NAME in key, key.count(".")))
        leaves = {key.rpartition(".")[2]: key for key in reversed(self._keys()) if NAME not in key}
        here = familiar_setting(name, known)
        if here:
            return f"{prefix}{here}"
        anywhere = familiar_setting(name, [leaf for leaf, key in leaves.items() if not key.startswith("sweep.")])
        if anywhere:
            return leaves[anywhere]
        near = closest(name, known)
        if near:
            return f"{prefix}{near}"
        outermost, _, inner = section.partition(".")
        sought = [leaf for leaf, key in leaves.items() if not inner or key.startswith(f"{outermost}.")]
        near = closest(name, sought, cutoff=0.8)
        return leaves[near] if near else None

    def type_for(self, section: Mapping[str, Any], types: Mapping[str, type[BaseModel]]) -> str | None:
        """The only type, or the one whose settings the section's keys fit best."""
        given = set(section) - {"type"}
        fits = {word: len(given & set(model.model_fields)) for word, model in types.items()}
        best = [word for word, fit in fits.items() if fit == max(fits.values())]
        return best[0] if len(best) == 1 else None

    def _keys(self) -> list[str]:
        """Every key that would be known in this recipe: of components, the settings of the types it has chosen."""
        result = []
        for key, word in all_keys(self.schema):
            concrete = self._named(key)
            if word is None or self._type_at(concrete) == word:
                result.append(concrete)
        return result

    def _named(self, key: str) -> str:
        """The key with `<name>` replaced where the recipe has exactly one name there."""
        if NAME not in key:
            return key
        head, _, tail = key.partition(f".{NAME}")
        section = self._at(head)
        only = next(iter(section)) if isinstance(section, Mapping) and len(section) == 1 else None
        return f"{head}.{only}{tail}" if only else key

    def _type_at(self, key: str) -> Any:
        """The type of the innermost component around a key."""
        while key:
            key = key.rpartition(".")[0]
            section = self._at(key)
            if isinstance(section, Mapping) and "type" in section:
                return section["type"]
        return None

    def _at(self, key: str) -> Any:
        value: Any = self.tree
        for part in key.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return value
