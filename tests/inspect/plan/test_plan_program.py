"""Collectives, loops and work out of the text of a program: by hand first, then of a real one."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import pytest

from framework.inspect.plan.collectives import Collective, collectives, ring_bytes, total_sent
from framework.inspect.plan.program import Program
from framework.inspect.plan.work import product_flops, repeated_flops, traffic

TEXT = """\
HloModule jit_step, is_scheduled=true

%sum (a: f32[], b: f32[]) -> f32[] {
  %a = f32[] parameter(0)
  %b = f32[] parameter(1)
  ROOT %add = f32[] add(%a, %b)
}

%body (carried: (s32[], f32[16,4])) -> (s32[], f32[16,4]) {
  %carried = (s32[], f32[16,4]{1,0}) parameter(0)
  %part = f32[4,4]{1,0} slice(%carried), slice={[0:4], [0:4]}
  %gathered = f32[16,4]{1,0} all-gather(%part), channel_id=1, replica_groups=[2,4]<=[8], dimensions={0}
  ROOT %next = (s32[], f32[16,4]{1,0}) tuple(%carried, %gathered)
}

%condition (carried.1: (s32[], f32[16,4])) -> pred[] {
  %carried.1 = (s32[], f32[16,4]{1,0}) parameter(0)
  ROOT %less = pred[] constant(true)
}

ENTRY %main (x: f32[8,4], y: bf16[10]) -> f32[8,4] {
  %x = f32[8,4]{1,0} parameter(0)
  %y = bf16[10]{0} parameter(1)
  %both = (f32[8,4]{1,0}, bf16[10]{0}) all-reduce(%x, %y), replica_groups={{0,1},{2,3}}, to_apply=%sum
  %begun = f32[8,4]{1,0} all-reduce-start(%x), replica_groups=mesh['a'=2,'b'=4] {'a','b'}, to_apply=%sum
  %done = f32[8,4]{1,0} all-reduce-done(%begun)
  %fetch = (f32[8,4]{1,0}, f32[64,4]{1,0}) all-gather-start(%x), replica_groups={}, dimensions={0}
  %scattered = f32[1,4]{1,0} reduce-scatter(%x), replica_groups=[1,8]<=[8], dimensions={0}, to_apply=%sum
  %moved = (f32[8,4]{1,0}, f32[8,4]{1,0}) collective-permute-start(%x), source_target_pairs={{0,1},{1,0}}
  %start = (s32[], f32[16,4]{1,0}) tuple(%x, %x)
  %loop = (s32[], f32[16,4]{1,0}) while(%start), condition=%condition, body=%body, backend_config={"known_trip_count":{"n":"5"}}
  ROOT %result = f32[8,4]{1,0} copy(%done)
}
"""  # noqa: E501


def test_each_form_of_a_collective_is_counted_with_its_group_and_bytes() -> None:
    found = {(one.kind, one.group): (one.count, one.payload) for one in collectives(Program.parse(TEXT), 8)}
    assert found == {
        ("all-reduce", 2): (1, 8 * 4 * 4 + 10 * 2),
        ("all-reduce", 8): (1, 128),
        ("all-gather", 8): (1, 64 * 4 * 4),
        ("all-gather", 4): (5, 5 * 16 * 4 * 4),
        ("reduce-scatter", 8): (1, 128),
        ("collective-permute", 8): (1, 128),
    }


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        ("all-reduce", 2 * 7 / 8 * 800),
        ("all-gather", 700),
        ("reduce-scatter", 700),
        ("all-to-all", 700),
        ("collective-permute", 800),
    ],
)
def test_a_ring_of_eight_sends_its_share_of_the_whole_array(kind: str, sent: float) -> None:
    assert ring_bytes(kind, 8, 800) == sent
    assert ring_bytes(kind, 1, 800) == 0


def test_an_all_reduce_costs_a_reduce_scatter_and_an_all_gather() -> None:
    halves = (Collective("reduce-scatter", 4, 1, 1000), Collective("all-gather", 4, 1, 1000))
    assert total_sent(halves) == Collective("all-reduce", 4, 1, 1000).sent


def test_a_loop_of_unknown_length_is_told() -> None:
    assert Program.parse(TEXT).unknown_loops == 0
    assert Program.parse(TEXT.replace("known_trip_count", "unknown")).unknown_loops == 1


def test_products_in_a_loop_count_as_often_as_it_runs() -> None:
    def repeated(x: jax.Array, weights: jax.Array) -> jax.Array:
        return jax.lax.scan(lambda carry, weight: (jnp.sin(carry @ weight), None), x, weights)[0]

    shapes = (jax.ShapeDtypeStruct((8, 32), jnp.float32), jax.ShapeDtypeStruct((7, 32, 32), jnp.float32))
    program = Program.parse(jax.jit(repeated).lower(*shapes).compile().as_text() or "")
    once = 2 * 8 * 32 * 32
    assert product_flops(program) == 7 * once
    assert repeated_flops(program) == 6 * once
    assert traffic(program, 0) >= 7 * 2 * 8 * 32 * 4  # the carried array is written and read in each pass


@pytest.mark.parametrize(
    ("groups", "size"),
    [
        ("{{0,1,2,3},{4,5,6,7}}", 4),
        ("[4,2]<=[4,2]T(1,0)", 2),
        ("mesh['a'=2,'b'=4] {'b'}", 4),
        ("mesh['a'=2,'b'=4], device_ids=([4,2]T(1,0)) {'a'}", 2),
        ("mesh['a'=2,'b'=4] {'a','b':(1)2}", 4),
        ("{}", 8),
    ],
)
def test_the_size_of_a_group_is_read_in_each_way_it_is_written(groups: str, size: int) -> None:
    text = f"ENTRY %main (x: f32[8]) -> f32[8] {{\n  %y = f32[8]{{0}} all-reduce(%x), replica_groups={groups}, a=b\n}}"
    assert [one.group for one in collectives(Program.parse(text), 8)] == [size]
