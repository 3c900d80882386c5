"""Every architecture has as many parameters as the published model. Nothing is allocated."""

from __future__ import annotations

from pathlib import Path

import jax
import jax.numpy as jnp
import pytest
from architecture_cases import PUBLISHED, SMALL, Published

from framework.config.compose import load
from framework.core.trees import size
from framework.network import Network

HERE = Path(__file__).parent
FOLDER = HERE.parents[2] / "configs" / "network"
OF_ANY_SIZE = {"cnn", "mlp"}


def composed(case: Published) -> Network:
    """The network as a recipe that names it gets it."""
    words = [f"network.args.{name}={value}".replace(" ", "") for name, value in case.args.items()]
    loaded = load("pictures", [f"network={case.network}", *words], config_dirs=[HERE])
    assert loaded.config.network is not None
    return Network(loaded.config.network)


@pytest.mark.parametrize("case", PUBLISHED, ids=lambda case: case.name)
def test_count_is_the_published_one(case: Published) -> None:
    network = composed(case)
    spec = {name: jax.ShapeDtypeStruct(shape, jnp.float32) for name, shape in case.inputs.items()}
    variables = jax.eval_shape(lambda: network.init(jax.random.key(0), spec))
    assert size(variables["params"]) == case.parameters
    assert network.graph.warnings == ()


@pytest.mark.parametrize("case", PUBLISHED, ids=lambda case: case.name)
def test_header_tells_the_count(case: Published) -> None:
    text = (FOLDER / f"{case.network}.yaml").read_text(encoding="utf-8")
    header = "\n".join(line for line in text.splitlines() if line.startswith("#"))
    assert f"{case.parameters:,}" in header
    assert "Source:" in header


@pytest.mark.parametrize("case", PUBLISHED, ids=lambda case: case.name)
def test_page_lists_the_count(case: Published) -> None:
    page = (HERE.parents[2] / "docs" / "architectures.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith(f"| `{case.network}` |")]
    assert [row for row in rows if f"| {case.parameters:,} |" in row]


def test_every_architecture_is_counted_and_trained() -> None:
    files = {path.stem for path in FOLDER.glob("*.yaml")} - OF_ANY_SIZE
    families = {"resnet", "vgg", "densenet", "efficientnet", "convnext", "vit"}
    assert {case.network for case in PUBLISHED} & files == {case.network for case in PUBLISHED}
    assert {case.network for case in SMALL} >= {case.network for case in PUBLISHED} - families
