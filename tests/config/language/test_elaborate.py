"""What a well-formed declaration means: wiring, order, blocks, combinators, traced scalars, warnings."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import Any

import yaml

from framework.config.language import Expression, FrozenMapping, Graph, Node, Target, elaborate
from framework.config.schema.layers import LAYERS
from framework.config.schema.network import NetworkSection

RESIDUAL_BLOCK = """
blocks:
  residual_block:
    args: {features: "???", rate: 0.0}
    layers:
      conv1: {conv: {features: "=features", kernel: 3}}
      drop:  {dropout: {rate: "=rate"}}
      skip:  {conv: {features: "=features", kernel: 1}, from: input}
      out:   {add: {}, from: [drop, skip]}
"""


def graph_of(text: str) -> Graph:
    return elaborate(yaml.safe_load(text))


def node(graph: Graph, path: str) -> Node:
    (found,) = [node for node in graph.walk() if node.path == path]
    return found


def argument(graph: Graph, path: str, name: str) -> Any:
    return getattr(node(graph, path).body, name)


def test_a_node_reads_the_one_before_it_and_the_last_one_is_the_output() -> None:
    graph = graph_of("layers: {a: {dense: {features: 4}}, b: relu, c: {dense: {features: 2}}}")
    assert graph.inputs == ("input",)
    assert [item.inputs for item in graph.nodes] == [("input",), ("a",), ("b",)]
    assert graph.outputs == (("c", "c"),)
    assert graph.wiring == ()


def test_inputs_are_wired_by_key_path() -> None:
    graph = graph_of(
        "inputs: {left: batch.a, right: batch.b}\nlayers: {l: {relu: {}, from: left}, s: {add: {}, from: [l, right]}}"
    )
    assert graph.inputs == ("left", "right")
    assert dict(graph.wiring) == {"left": "batch.a", "right": "batch.b"}
    assert node(graph, "s").inputs == ("l", "right")


def test_the_one_input_can_also_be_called_input() -> None:
    graph = graph_of("inputs: {image: batch.image}\nlayers: {a: relu, b: {add: {}, from: [a, input]}}")
    assert node(graph, "b").inputs == ("a", "image")


def test_named_inputs_are_put_in_the_order_of_the_call() -> None:
    graph = graph_of("layers: {a: relu, b: tanh, c: {attention: {heads: 1}, from: {mask: b, x: a}}}")
    assert node(graph, "c").inputs == ("a", None, None, "b", None)


def test_after_and_before_place_an_added_node() -> None:
    text = """
    layers:
      a: relu
      b: tanh
      c: {sigmoid: {}, after: a}
      d: {gelu: {}, after: a}
      e: {silu: {}, before: b}
      f: {elu: {}, after: input}
      g: {elu: {}, after: d}
    """
    graph = graph_of(text)
    assert [item.name for item in graph.nodes] == ["f", "a", "c", "d", "g", "e", "b"]
    assert node(graph, "b").inputs == ("e",)
    assert node(graph, "a").inputs == ("f",)


def test_a_block_is_used_like_an_operation_with_its_own_arguments() -> None:
    graph = graph_of(
        "layers: {s1: {residual_block: {features: 8}}, s2: {residual_block: {features: 16}}}" + RESIDUAL_BLOCK
    )
    assert argument(graph, "s1.conv1", "features") == 8
    assert argument(graph, "s2.conv1", "features") == 16
    body = node(graph, "s2").body
    assert isinstance(body, Graph)
    assert body.outputs == (("out", "out"),)
    assert node(graph, "s1.skip").inputs == ("input",)
    assert node(graph, "s1.conv1").key == "network.blocks.residual_block.layers.conv1"


def test_blocks_nest_and_hand_arguments_on() -> None:
    text = """
    layers: {top: {outer: {width: 3}}}
    blocks:
      outer: {args: {width: 1}, layers: {a: {inner: {units: "=2 * width"}}, b: {inner: {units: "=width"}}}}
      inner: {args: {units: 1, bias: true}, layers: {fc: {dense: {features: "=units", use_bias: "=bias"}}}}
    """
    graph = graph_of(text)
    assert [argument(graph, path, "features") for path in ("top.a.fc", "top.b.fc")] == [6, 3]


def test_defaults_may_be_formulas_over_other_arguments() -> None:
    graph = graph_of("args: {hidden: '=4 * width', width: 8}\nlayers: {a: {dense: {features: '=hidden'}}}")
    assert argument(graph, "a", "features") == 32


def test_block_arguments_may_be_a_list_of_names() -> None:
    text = "layers: {a: {b: {n: 3}}}\nblocks: {b: {args: [n], layers: {fc: {dense: {features: '=n'}}}}}"
    assert argument(graph_of(text), "a.fc", "features") == 3


def test_a_formula_may_choose_the_operation_and_the_count() -> None:
    graph = graph_of("args: {act: gelu, depth: 3}\nlayers: {a: '=act', b: {relu: {}, repeat: '=depth - 1'}}")
    assert node(graph, "a").op == "gelu"
    assert node(graph, "b").repeat == 2


def test_a_node_whose_count_comes_to_nothing_passes_its_first_input_on() -> None:
    text = """
    args: {depth: 1, wide: false}
    layers:
      a: relu
      b: {outer: {}, repeat: "=depth - 1"}
      c: {add: {}, from: [b, input], repeat: "=int(wide)"}
    blocks:
      outer: {layers: {x: inner}}
      inner: {layers: {fc: {dense: {features: 4}}}}
    """
    graph = graph_of(text)
    assert [(item.op, item.inputs) for item in graph.nodes] == [
        ("relu", ("input",)), ("identity", ("a",)), ("identity", ("b",))
    ]  # fmt: skip
    assert graph.warnings == ()


def test_formulas_reach_into_lists() -> None:
    text = "args: {k: 3}\nlayers: {a: {conv: {features: 2, kernel: ['=k', '=k + 2']}}}"
    assert argument(graph_of(text), "a", "kernel") == (3, 5)


def test_a_block_may_have_several_inputs_and_outputs() -> None:
    text = """
    layers:
      a: relu
      b: tanh
      m: {mix: {}, from: {second: b, first: a}}
      c: {add: {}, from: [m.sum, m.product]}
    blocks:
      mix:
        inputs: [first, second]
        layers:
          s: {add: {}, from: [first, second]}
          p: {multiply: {}, from: [first, second]}
        outputs: {sum: s, product: p}
    """
    graph = graph_of(text)
    assert node(graph, "m").inputs == ("a", "b")
    assert node(graph, "c").inputs == ("m.sum", "m.product")


def test_last_node_with_several_outputs_gives_all_of_them() -> None:
    text = "layers: {m: b}\nblocks: {b: {layers: {x: relu, y: tanh}, outputs: {one: x, two: y}}}"
    assert graph_of(text).outputs == (("one", "m.one"), ("two", "m.two"))


def test_residual_adds_its_input() -> None:
    graph = graph_of("layers: {r: {residual: {layers: {a: relu, b: tanh}}}}")
    body = node(graph, "r").body
    assert isinstance(body, Graph)
    assert [item.name for item in body.nodes] == ["a", "b", "_merged"]
    assert node(graph, "r._merged").inputs == ("b", "input")


def test_residual_shortcut_stands_on_the_way_around() -> None:
    text = "layers: {r: {residual: {layers: {a: {dense: {features: 4}}}, shortcut: {dense: {features: 4}}}}}"
    graph = graph_of(text)
    assert node(graph, "r.shortcut").inputs == ("input",)
    assert node(graph, "r.shortcut").key == "network.layers.r.residual.shortcut"
    assert node(graph, "r._merged").inputs == ("a", "shortcut")


def test_parallel_branches_all_read_the_input() -> None:
    graph = graph_of("layers: {p: {parallel: {layers: {a: relu, b: tanh}, merge: concat, axis: 1}}}")
    assert node(graph, "p.a").inputs == node(graph, "p.b").inputs == ("input",)
    assert node(graph, "p._merged").op == "concat"
    assert argument(graph, "p._merged", "axis") == 1


def test_merges_are_operations_or_an_expression() -> None:
    kinds = {}
    for merge in ("add", "concat", "multiply", "mean", "stack"):
        graph = graph_of(f"layers: {{p: {{parallel: {{layers: {{a: relu, b: tanh}}, merge: {merge}}}}}}}")
        kinds[merge] = node(graph, "p._merged").op
    assert kinds == {"add": "add", "concat": "concat", "multiply": "multiply", "mean": "average", "stack": "expr"}


def test_combinators_take_several_inputs_by_name() -> None:
    text = """
    layers:
      a: relu
      b: tanh
      s: {sequential: {layers: {x: {add: {}, from: [left, right]}, y: relu}}, from: {left: a, right: b}}
    """
    graph = graph_of(text)
    body = node(graph, "s").body
    assert isinstance(body, Graph)
    assert body.inputs == ("left", "right")
    assert node(graph, "s").inputs == ("a", "b")


def test_expressions_read_their_inputs_by_name() -> None:
    text = """
    args: {scale: 2.0}
    layers:
      a: relu
      b: {expr: "x * sigmoid(x)"}
      c: {expr: "a - scale * b", from: [b, a]}
      d: {expr: "p @ q", from: {q: a, p: c}}
    """
    graph = graph_of(text)
    assert node(graph, "b").body == Expression("x * sigmoid(x)", ("x",))
    assert node(graph, "c").body == Expression("a - scale * b", ("a", "b"), FrozenMapping((("scale", 2.0),)))
    assert node(graph, "c").inputs == ("a", "b")
    assert node(graph, "d").inputs == ("c", "a")


def test_an_expression_that_shares_reads_parameters() -> None:
    text = "layers: {e: {embed: {vocabulary: 9, features: 4}}, y: {expr: x @ embedding.T, share: e}}"
    body = node(graph_of(text), "y").body
    assert isinstance(body, Expression)
    assert (body.names, body.parameters) == (("x",), ("embedding",))


def test_modules_keep_their_target_and_arguments_unimported() -> None:
    text = """
    args: {width: 8}
    layers: {m: {module: {_target_: no_such_package.Net, width: "=2 * width", options: {deep: [1, 2]}}}}
    """
    body = node(graph_of(text), "m").body
    assert isinstance(body, Target)
    assert body.target == "no_such_package.Net"
    assert body.arguments.as_dict() == {"width": 16, "options": {"deep": (1, 2)}}
    assert "no_such_package" not in sys.modules


def test_sharing_takes_over_what_it_does_not_say() -> None:
    graph = graph_of("layers: {a: {dense: {features: 4}, repeat: 2}, b: {share: a}, c: {share: b}}")
    assert node(graph, "b").body == node(graph, "a").body
    assert [node(graph, name).share for name in "abc"] == [None, "a", "a"]
    assert node(graph, "c").repeat == 2


def test_traced_scalars_have_the_key_that_sets_them() -> None:
    text = """
    args: {p: 0.3}
    layers:
      a: {dropout: {rate: 0.1}}
      b: {dropout: {rate: "=p"}}
      c: {dropout: {rate: "=p"}}
      d: {dropout: {rate: 0.0}}
      e: {block: {rate: 0.4}}
      f: {block: {rate: 0.5}, repeat: 2}
      g: block
      h: {block: {rate: "=p"}}
    blocks:
      block: {args: {rate: 0.6}, layers: {drop: {dropout: {rate: "=rate"}}, fixed: {dropout: {rate: 0.7}}}}
    """
    assert graph_of(text).traced == {
        "network.layers.a.dropout.rate": 0.1,
        "network.args.p": 0.3,
        "network.layers.e.block.rate": 0.4,
        "network.blocks.block.layers.fixed.dropout.rate": 0.7,
        "network.layers.f.block.rate": 0.5,
        "network.blocks.block.args.rate": 0.6,
    }


def test_a_computed_scalar_is_traced_under_the_path_of_its_node() -> None:
    text = "layers: {b: {k: {rate: 0.2}}}\nblocks: {k: {args: {rate: 0}, layers: {d: {dropout: {rate: '=rate / 2'}}}}}"
    assert graph_of(text).traced == {"network.layers.b.d.rate": 0.1}


def test_a_scalar_that_also_decides_structure_is_not_traced_under_its_own_key() -> None:
    text = """
    args: {p: 0.3}
    layers:
      a: {dropout: {rate: "=p"}}
      b: {relu: {}, repeat: "=2 if p > 0 else 1"}
    """
    assert graph_of(text).traced == {"network.layers.a.rate": 0.3}


def test_warnings_name_what_is_not_used() -> None:
    text = """
    inputs: {x: batch.x, y: batch.y}
    layers: {a: {relu: {}, from: x}, b: {tanh: {}, from: x}, c: {add: {}, from: a}, d: add}
    blocks: {spare: {layers: {a: relu}}}
    """
    assert set(graph_of(text).warnings) == {
        "network.layers.b: nothing reads the output of 'b'; name it in a `from`, or take it out: ~network.layers.b",
        "network.layers: nothing reads the input 'y'; name it in a `from`, or take it out",
        "network.layers.d: 'add' combines several inputs, but reads only the node before; name them: "
        "+network.layers.d.from=[c, ...]",
        "network.blocks.spare: no node uses this block",
    }


def test_graphs_are_values() -> None:
    text = "layers: {a: {residual_block: {features: 4, rate: 0.1}, repeat: 2}, m: {module: {_target_: a.B, k: [1]}}}"
    first, second = graph_of(text + RESIDUAL_BLOCK), graph_of(text + RESIDUAL_BLOCK)
    assert first == second
    assert hash(first) == hash(second)
    assert pickle.loads(pickle.dumps(first)) == first


def test_graphs_differ_where_only_the_type_of_a_number_differs() -> None:
    text = "args: {{c: {}}}\nlayers: {{a: {{expr: c * x}}, m: {{module: {{_target_: a.B, k: '=c'}}}}}}"
    graphs = [graph_of(text.format(number)) for number in ("1", "1.0", "true")]
    assert len({*graphs}) == 3


def test_a_section_and_a_mapping_mean_the_same() -> None:
    declared = {"layers": {"a": {"dense": {"features": 3}}}, "outputs": {"y": "a"}}
    assert elaborate(NetworkSection.model_validate(declared)) == elaborate(declared)


def test_every_operation_of_the_catalogue_is_known_by_its_word() -> None:
    section = {"layers": {f"n_{op}": {op: {}, "from": "input"} for op, spec in LAYERS.items() if spec.inputs is None}}
    assert {item.op for item in elaborate(section).nodes} == {op for op, spec in LAYERS.items() if spec.inputs is None}


def test_elaborating_never_imports_jax() -> None:
    program = (
        "import sys\n"
        "from framework.config.language import elaborate\n"
        "elaborate({'args': {'w': 8}, 'layers': {'a': {'dense': {'features': '=2 * w'}}, 'b': {'expr': 'x * 2'}}})\n"
        "assert not {'jax', 'flax', 'optax', 'numpy'} & set(sys.modules), sorted(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
