"""A YAML syntax error in our words: file, line, column, and what usually causes it."""

from __future__ import annotations

import yaml

from framework.core.errors import Problem


def syntax_problem(error: yaml.YAMLError, shown: str) -> Problem:
    """The problem of a file that PyYAML cannot read."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        reason = getattr(error, "reason", None) or str(error)
        return Problem(shown, f"is not YAML: {reason}", expected="YAML", fix="remove the character")
    what = getattr(error, "problem", None) or getattr(error, "context", None) or "unreadable"
    context = getattr(error, "context", None)
    found = f"is not YAML at line {mark.line + 1}, column {mark.column + 1}: {what}"
    return Problem(
        shown,
        f"{found} ({context})" if context and context != what else found,
        expected="one YAML mapping",
        origin=f"{shown}:{mark.line + 1}",
        fix=_hint(str(what), f"{what} {context}"),
    )


def _hint(what: str, everything: str) -> str:
    for clue, hint in _HINTS:
        if clue in everything:
            return hint
    return "indent with spaces, one `key: value` a line, and quote text that holds `: `, `#`, `{` or `[`"


_HINTS = (
    ("'\\t'", "indent with spaces, not with tabs"),
    ("\\t", "indent with spaces, not with tabs"),
    ("expected a single document", "one document a file: remove the line `---`"),
    ("but found another document", "one document a file: remove the line `---`"),
    ("undefined alias", "define the anchor (&name) above its alias (*name)"),
    ("mapping values are not allowed", "quote a value that holds `: `, or indent the line as its neighbours are"),
    ("flow", "close the bracket or the brace"),
    ("quoted scalar", "close the quote"),
)
