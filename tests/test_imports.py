"""The arrows between rooms: who may import whom (the table in docs/architecture.md), and who may not load JAX."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "framework"
HEAVY = {"jax", "jaxlib", "flax", "optax", "orbax", "sklearn", "scipy", "tensorboardX", "matplotlib", "pyarrow", "PIL"}
LOADS_JAX = {"framework.core.trees", "framework.core.random", "framework.core.counter"}
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "misc", "common"}
FACE = {"framework": "library", "framework.__main__": "cli"}
"""The two modules that lie in no folder, and the rooms they belong to."""


@dataclass(frozen=True)
class Import:
    """`source` imports `target` on `line`; `deferred` when the statement does not run as `source` is loaded."""

    source: str
    target: str
    line: int
    deferred: bool

    def __str__(self) -> str:
        return f"{self.source}:{self.line} imports {self.target}"


@dataclass(frozen=True)
class Rules:
    """Room -> the rooms it may import, itself left out."""

    allowed: dict[str, frozenset[str]]

    @classmethod
    def parse(cls, markdown: str) -> Rules:
        """Read the table headed `| room | holds | may import |`."""
        rows = re.findall(r"^\| *([a-z_]+) *\|[^|\n]*\|([^|\n]*)\|$", markdown.partition("## Rooms")[2], re.MULTILINE)
        written = {room: cell.strip() for room, cell in rows if room != "room"}
        return cls({room: frozenset(cls._expand(room, written, ())) for room in written})

    @classmethod
    def _expand(cls, room: str, written: dict[str, str], above: tuple[str, ...]) -> set[str]:
        if room in above:
            raise ValueError(f"the table of rooms runs in a circle: {' -> '.join((*above, room))}")
        cell = written[room]
        if cell == "anything":
            return set(written) - {room}
        start, everything, _ = cell.partition(" and all it may import")
        named = {name.strip() for name in start.split(",") if name.strip()}
        if unknown := named - set(written):
            raise ValueError(f"room {room} may import {sorted(unknown)}, which have no row")
        below = set().union(*(cls._expand(name, written, (*above, room)) for name in named))
        return named | below if everything else named


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> dict[str, Path]:
    return {module_name(path): path for path in sorted(PACKAGE.rglob("*.py")) if "_shipped" not in path.parts}


def room_of(module: str) -> str:
    return FACE.get(module) or module.split(".")[1]


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


LATER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def _statements(node: ast.AST, deferred: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    for child in ast.iter_child_nodes(node):
        later = deferred or _is_type_checking(node) or isinstance(node, LATER)
        yield child, later
        yield from _statements(child, later)


def _targets(node: ast.AST, package: str) -> list[str]:
    if isinstance(node, ast.Import):
        # The bare name is also how a module finds the package's folder: what it takes from there is looked at below.
        return [alias.name for alias in node.names if alias.name != "framework"]
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "framework":
        of_the_face = not node.attr.startswith("__") and f"framework.{node.attr}" not in modules()
        return ["framework"] if of_the_face else []
    if isinstance(node, ast.ImportFrom):
        parents = package.split(".")
        base = ".".join(parents[: len(parents) - node.level + 1]) if node.level else ""
        origin = ".".join(part for part in (base, node.module) if part)
        # `from framework.core import errors` reaches the module framework.core.errors, not only its package.
        return [full if (full := f"{origin}.{alias.name}") in modules() else origin for alias in node.names]
    if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "import_module":
        return [item.value for item in node.args[:1] if isinstance(item, ast.Constant) and isinstance(item.value, str)]
    return []


def read_imports(name: str, source: str, *, is_package: bool = False) -> list[Import]:
    package = name if is_package else name.rpartition(".")[0]
    return [
        Import(name, target, getattr(node, "lineno", 0), deferred)
        for node, deferred in _statements(ast.parse(source))
        for target in _targets(node, package)
    ]


@cache
def all_imports() -> tuple[Import, ...]:
    return tuple(
        found
        for name, path in modules().items()
        for found in read_imports(name, path.read_text(encoding="utf-8"), is_package=path.name == "__init__.py")
    )


@cache
def rules() -> Rules:
    return Rules.parse((ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"))


def upward(imports: tuple[Import, ...], table: Rules) -> list[str]:
    """Imports from one room into another that the table does not allow."""
    wrong = []
    for item in imports:
        if item.target.split(".")[0] != "framework":
            continue
        source, target = room_of(item.source), room_of(item.target)
        if source != target and target not in table.allowed.get(source, frozenset()):
            wrong.append(f"{item}: {source} may not import {target}")
    return wrong


def circles(graph: dict[str, set[str]]) -> list[str]:
    """The first circle found from each node of a graph, each told once."""
    found: dict[frozenset[str], str] = {}
    done: set[str] = set()

    def visit(node: str, trail: tuple[str, ...]) -> None:
        if node in trail:
            ring = trail[trail.index(node) :]
            found.setdefault(frozenset(ring), " -> ".join((*ring, node)))
        elif node not in done:
            for target in sorted(graph.get(node, ())):
                visit(target, (*trail, node))
            done.add(node)

    for start in sorted(graph):
        visit(start, ())
    return list(found.values())


def loaded_with(start: str) -> dict[str, Import]:
    """Every module that loading `start` loads, ours and foreign, with an import that reaches it."""
    reached: dict[str, Import] = {}
    waiting = [start]
    while waiting:
        name = waiting.pop()
        # Loading a.b.c runs the packages a and a.b first.
        chain = {".".join(name.split(".")[: depth + 1]) for depth in range(name.count(".") + 1)}
        for item in all_imports():
            if item.source in chain and not item.deferred and item.target not in reached:
                reached[item.target] = item
                if item.target.startswith("framework"):
                    waiting.append(item.target)
    return reached


def test_every_import_follows_the_table_of_rooms() -> None:
    assert upward(all_imports(), rules()) == []


def test_every_room_has_a_row_in_the_table() -> None:
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir() and any(path.rglob("*.py"))} - {"_shipped"}
    loose = {name for name in modules() if name.count(".") == 1 and modules()[name].parent == PACKAGE} - set(FACE)
    assert rooms | {room_of(name) for name in loose} <= set(rules().allowed)


def test_no_circle_between_rooms() -> None:
    graph: dict[str, set[str]] = {}
    for item in all_imports():
        if item.target.split(".")[0] == "framework" and room_of(item.source) != room_of(item.target):
            graph.setdefault(room_of(item.source), set()).add(room_of(item.target))
    assert circles(graph) == []


def test_no_circle_between_modules() -> None:
    graph: dict[str, set[str]] = {}
    for item in all_imports():
        if item.target in modules() and not item.deferred and item.source != item.target:
            graph.setdefault(item.source, set()).add(item.target)
    assert circles(graph) == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [name for name in modules() if VAGUE_NAMES & {part.strip("_") for part in name.split(".")}] == []


def _jax_free() -> list[str]:
    free = {"core", "config", "cli"}
    return ["framework", *(name for name in modules() if room_of(name) in free and name not in LOADS_JAX)]


def test_core_config_cli_and_the_face_load_no_heavy_library() -> None:
    heavy = [
        str(item) for name in _jax_free() for target, item in loaded_with(name).items() if target.split(".")[0] in HEAVY
    ]
    assert sorted(set(heavy)) == []


@pytest.mark.parametrize("module", ["framework", "framework.cli.main"])
def test_loading_leaves_jax_alone(module: str) -> None:
    code = f"import sys, {module}; print(sorted({{'jax', 'flax', 'optax', 'orbax', 'sklearn'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_importing_the_package_leaves_hydra_alone() -> None:
    code = "import sys, framework; print('hydra' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("False", "")


# The checks above pass on a tree without mistakes; these show that each of them sees one.

TABLE = "## Rooms\n| room | holds | may import |\n|---|---|---|\n" + "\n".join(
    ("| core | x | |", "| data | x | core |", "| build | x | data |", "| train | x | build and all it may import |")
)


def test_the_table_expands_transitively_only_where_it_says_so() -> None:
    table = Rules.parse(TABLE)
    assert table.allowed == {
        "core": frozenset(),
        "data": frozenset({"core"}),
        "build": frozenset({"data"}),
        "train": frozenset({"build", "data"}),
    }


def test_an_upward_import_is_seen_wherever_it_stands() -> None:
    source = "def f():\n    from framework.train import Loop\nimport framework.data.csv\n"
    found = tuple(read_imports("framework.data.sources", source))
    assert upward(found, Rules.parse(TABLE)) == [
        "framework.data.sources:2 imports framework.train: data may not import train"
    ]


def test_relative_imports_are_resolved() -> None:
    found = read_imports("framework.data.csv", "from ..train import Loop\nfrom . import Npz\n")
    assert [item.target for item in found] == ["framework.train", "framework.data"]


def test_the_bare_package_gives_its_folder_but_not_its_face() -> None:
    found = read_imports("framework.data.csv", "import framework\nframework.__file__\nframework.load('digits_mlp')\n")
    assert [(item.target, item.line) for item in found] == [("framework", 3)]


def test_a_circle_in_the_table_is_refused() -> None:
    table = TABLE + "\n| left | x | right and all it may import |\n| right | x | left and all it may import |"
    with pytest.raises(ValueError, match="in a circle: left -> right -> left"):
        Rules.parse(table)


def test_a_circle_between_modules_is_seen() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == ["a -> b -> c -> a"]


def test_a_deferred_import_is_told_from_one_that_runs() -> None:
    source = "import jax\nif TYPE_CHECKING:\n    import flax\ndef f():\n    import optax\n"
    found = read_imports("framework.core.words", source)
    assert [(item.target, item.deferred) for item in found] == [("jax", False), ("flax", True), ("optax", True)]
