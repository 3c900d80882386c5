"""Every setting of every layout is written out in its option, with the schema's value, and read by code."""

from __future__ import annotations

import pytest

from framework.config.compose import groups, load, shipped
from framework.config.compose.document import read
from framework.config.schema.parallel import Mesh, Rule
from framework.inspect.explanation import explain

OPTIONS = groups()["parallel"]


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_writes_every_setting_out_with_the_schemas_value(option: str) -> None:
    written = read(shipped("configs") / "parallel" / f"{option}.yaml", option).value
    section = load("digits_mlp", [f"parallel={option}"]).config.parallel
    assert list(written) == list(type(section).model_fields)
    for name, field in type(section).model_fields.items():
        if name not in ("type", "rules", "axes"):
            assert getattr(section, name) == field.get_default(), name


@pytest.mark.parametrize("option", OPTIONS)
def test_every_setting_of_a_layout_is_read(option: str) -> None:
    loaded = load("digits_mlp", [f"parallel={option}"])
    section = loaded.config.parallel
    keys = [f"parallel.{name}" for name in type(section).model_fields]
    if isinstance(section, Mesh):
        keys += [f"parallel.axes.{name}" for name in type(section.axes).model_fields]
        keys += [f"parallel.rules.heads.{name}" for name in Rule.model_fields]
    assert [key for key in keys if not explain(loaded, key).readers] == []


def test_what_is_told_to_read_a_setting_does() -> None:
    loaded = load("digits_mlp", ["parallel=mesh"])
    assert explain(loaded, "parallel.axes.fsdp").readers == ("framework/config/schema/parallel.py: Mesh.sizes",)
    assert explain(loaded, "parallel.rules.heads.match").readers == ("framework/parallel/rules.py: parsed",)
    # JAX's own Mesh has devices too.
    assert not [place for place in explain(loaded, "parallel.devices").readers if "sharded.py" in place]


def test_tensor_and_mesh_have_the_same_rules() -> None:
    tensor, mesh = (load("digits_mlp", [f"parallel={option}"]).config.parallel for option in ("tensor", "mesh"))
    assert tensor.rules == mesh.rules  # type: ignore[union-attr]
