"""What Hydra says when it cannot compose, in our words: which line asked for it, and what to type instead."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

from hydra.errors import MissingConfigException

from framework.config.compose.overrides import Groups, Word
from framework.config.compose.source import GROUP, FileResult
from framework.core.errors import Problem
from framework.core.words import closest, listed


def composition_problem(
    error: Exception, files: Sequence[FileResult], words: Sequence[Word], groups: Groups
) -> Problem:
    """The problem behind an exception that Hydra raised while it composed `files` with the overrides `words`."""
    if isinstance(error, RecursionError):
        return _circle(files)
    if isinstance(error, MissingConfigException):
        return _missing(error, files, groups)
    text = str(error)
    for pattern, told in _PATTERNS:
        match = re.search(pattern, text)
        if match:
            return told(match, files, words, groups)
    cause = error.__cause__ or error
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()] or [type(cause).__name__]
    origin = words[-1].origin if words and words[-1].text in text else files[-1].document.origin() if files else None
    return Problem("defaults", lines[0], "files that merge", origin, "see the line named")


def _missing(error: MissingConfigException, files: Sequence[FileResult], groups: Groups) -> Problem:
    path = PurePosixPath(str(error.missing_cfg_file))
    group, option = str(path.parent), path.name
    origin = next(_lines(files, str(path)), None)
    if group.split("/")[0] == GROUP:
        option, group = str(path.relative_to(GROUP)), GROUP
    own = groups.options(group) if groups.is_group(group) else ()
    asked, _, choice = option.rpartition("/")
    if group == GROUP and asked and groups.is_group(asked):
        # `- data: csv` in a recipe is looked for beside the recipe, and every section has a choice already.
        near = closest(choice, groups.options(asked)) or "OPTION"
        found = f"'{asked}' has a choice already, which this line does not override"
        return Problem("defaults", found, f"- override /{asked}: OPTION", origin, f"- override /{asked}: {near}")
    options = list(own if group == GROUP else error.options or own)
    if not options:
        known = list(groups.known())
        near = closest(group, known)
        fix = f"- override /{near}: {option}" if near else "name a group of `fw list`"
        return Problem("defaults", f"nothing is called '{path}'", listed(known, 30), origin, fix)
    near = closest(option, options) or options[0]
    fix = f"- {near}" if group == GROUP else f"{group}={near}"
    return Problem(
        "defaults" if group == GROUP else group, f"unknown option '{option}'", listed(options, 30), origin, fix
    )


def _not_in_list(match: re.Match[str], files: Sequence[FileResult], words: Sequence[Word], groups: Groups) -> Problem:
    group = match["group"]
    word = next((word for word in words if word.parsed.get_key_element() == group), None)
    gone = next((word for word in words if word.parsed.is_delete() and group.startswith(f"{word.key}/")), None)
    if gone is not None:
        asked = word.origin if word else next(_items(files, group, override=True), (None, None, None))[2]
        found = f"cannot be deleted: {group} is still chosen ({asked})"
        return Problem(gone.key, found, f"~{group} beside it", gone.origin, f"leave out {gone.text}")
    known = [other for other in groups.known() if "/" not in other]
    if group.startswith("hydra"):
        return Problem(
            group,
            "no such setting of Hydra's",
            "fw ... --cfg hydra lists them",
            word.origin if word else None,
            f"leave out {word.text if word else group}",
        )
    if word is not None:
        value = word.text.partition("=")[2]
        found = "cannot be swapped, since nothing chose it before"
        return Problem(group, found, "a group of the defaults list", word.origin, f"+{group}={value}")
    _, option, origin = next(_items(files, group, override=True), (None, None, None))
    near = closest(group, groups.known())
    if near is not None and not groups.is_group(group):
        return Problem(
            group, f"no config group is called '{group}'", listed(known), origin, f"- override /{near}: {option}"
        )
    found = "is overridden, but nothing chose it before"
    return Problem(group, found, listed(known), origin, f"without the word: - /{group}: OPTION")


def _not_deleted(match: re.Match[str], files: Sequence[FileResult], words: Sequence[Word], groups: Groups) -> Problem:
    group = match["group"].partition("=")[0]
    word = next((word for word in words if word.parsed.is_delete() and word.parsed.key_or_group == group), None)
    found = "cannot be deleted: nothing chose it, or chose another option"
    return Problem(
        group,
        found,
        "a group of the defaults list",
        word.origin if word else None,
        f"leave out {word.text}" if word else None,
    )


def _chosen_twice(match: re.Match[str], files: Sequence[FileResult], words: Sequence[Word], groups: Groups) -> Problem:
    group = match["group"]
    word = next(
        (word for word in words if word.kind == "group" and word.parsed.is_add() and word.parsed.key_or_group == group),
        None,
    )
    if word is not None:
        return Problem(
            group,
            "is chosen already, so + cannot add it",
            "+ for groups that nothing chose",
            word.origin,
            word.text.removeprefix("+"),
        )
    lines = [item for item in _items(files, group, override=False) if item[0].config_path != "config"]
    _, option, origin = lines[-1] if lines else (None, "OPTION", None)
    return Problem(
        group,
        "is chosen twice",
        "one choice, and `override` where a later file changes it",
        origin,
        f"- override /{group}: {option}",
    )


def _unspecified(match: re.Match[str], files: Sequence[FileResult], words: Sequence[Word], groups: Groups) -> Problem:
    group = match["group"]
    options = groups.options(group)
    origin = next(_items(files, group, override=False), (None, None, None))[2]
    return Problem(
        group, "must be chosen (???)", listed(options, 30), origin, f"{group}={options[0] if options else 'OPTION'}"
    )


def _unmerged(match: re.Match[str], files: Sequence[FileResult], words: Sequence[Word], groups: Groups) -> Problem:
    file = next((file for file in files if file.config_path == match["path"]), None)
    reason = match["reason"].strip().splitlines()
    origin = file.document.origin() if file else None
    return Problem(
        "defaults",
        f"the file cannot be merged: {reason[0] if reason else 'unknown'}",
        "sections of one shape",
        origin,
        "make the section a mapping in both files",
    )


_PATTERNS = (
    (r"Could not override '(?P<group>[^']+)'", _not_in_list),
    (r"Could not delete '(?P<group>[^']+)'\. No match", _not_deleted),
    (r"Multiple values for (?P<group>[^\s]+?)\. To override", _chosen_twice),
    (r"(?P<group>\S+) appears more than once in the final defaults list", _chosen_twice),
    (r"You must specify '(?P<group>[^']+)'", _unspecified),
    (r"In '(?P<path>[^']+)': \w+ raised while composing config:\n(?P<reason>(?s:.*))", _unmerged),
)


def _circle(files: Sequence[FileResult]) -> Problem:
    """The files whose defaults lists lead back to themselves."""
    wants = {file.config_path: [path for path, _ in _wanted(file)] for file in files}
    for start in wants:
        chain = [start]
        while chain[-1] in wants:
            following = [path for path in wants[chain[-1]] if path in wants]
            if not following or (following[0] in chain and following[0] != start):
                break
            chain.append(following[0])
            if following[0] == start:
                file = next(file for file in files if file.config_path == start)
                names = " -> ".join(path.removeprefix(f"{GROUP}/") for path in chain)
                origin = next(origin for path, origin in _wanted(file) if path == chain[1])
                return Problem(
                    "defaults",
                    f"defaults lists go round in a circle: {names}",
                    "a file that asks for no other",
                    origin,
                    "remove the line",
                )
    return Problem("defaults", "defaults lists are nested too deep", "a few levels", fix="remove a level")


def _wanted(file: FileResult) -> Iterator[tuple[str, str]]:
    """Every config path that a file's defaults list asks for, with its line."""
    for words, option, origin in _entries(file):
        if option is None and words[-1] != "_self_":
            yield _absolute(words[-1], file), origin
        elif isinstance(option, str):
            yield f"{_absolute(words[-1], file)}/{option}", origin


def _lines(files: Sequence[FileResult], wanted: str) -> Iterator[str]:
    for file in files:
        for words, option, origin in _entries(file):
            options = option if isinstance(option, list) else [option]
            group = _absolute(words[-1], file)
            if wanted in [group, *(f"{group}/{item}" for item in options)]:
                yield origin


def _items(files: Sequence[FileResult], group: str, *, override: bool) -> Iterator[tuple[FileResult, Any, str]]:
    """The entries of defaults lists that choose a group: the file, the option, the line."""
    for file in files:
        for words, option, origin in _entries(file):
            if _absolute(words[-1], file) == group and ("override" in words[:-1]) == override:
                yield file, option, origin


def chosen_by(files: Sequence[FileResult], group: str, option: str) -> str | None:
    """The line of the last file whose defaults list chooses this option."""
    found = None
    for file in files:
        for words, value, origin in _entries(file):
            if _absolute(words[-1], file) == group and value == option:
                found = origin
    return found


def _entries(file: FileResult) -> Iterator[tuple[list[str], Any, str]]:
    """Each entry of a file's defaults list: its words, its option (None for a bare file), its line."""
    value = file.document.value
    items = value.get("defaults", ()) if isinstance(value, dict) else ()
    for index, item in enumerate(items):
        origin = file.document.origin(("defaults", index))
        if isinstance(item, str):
            yield [item.split("@")[0]], None, origin
        else:
            key, option = next(iter(item.items()))
            yield key.split("@")[0].split(), option, origin


def _absolute(name: str, file: FileResult) -> str:
    """A group or file of a defaults list, without its leading slash, or relative to the group that the file is in."""
    if name.startswith("/"):
        return name[1:]
    parent = GROUP if file.config_path.startswith(f"{GROUP}/") else str(PurePosixPath(file.config_path).parent)
    return name if parent == "." else f"{parent}/{name}"
