"""Broken networks: each mistake is told with its key, what was found, what was expected and the fix."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
import yaml

from framework.config.language import elaborate
from framework.core.errors import ConfigError, Problem

BLOCK = """
blocks:
  block:
    args: {features: "???", rate: 0.1}
    layers:
      fc: {dense: {features: "=features"}}
      drop: {dropout: {rate: "=rate"}}
"""


@dataclass(frozen=True)
class Case:
    """One mistake: the network, and what its only problem says (regular expressions; empty: not looked at)."""

    name: str
    network: str
    key: str
    found: str
    expected: str = ""
    fix: str = ""


CASES = [
    Case(
        "unknown operation",
        "layers: {stem: {cnv: {features: 8, kernel: 3}}}",
        "network.layers.stem.cnv",
        r"unknown operation 'cnv' \(did you mean 'conv'\?\)",
        "fw list layers",
        r"network.layers.stem.conv",
    ),
    Case(
        "unknown bare operation",
        "layers: {a: rellu}",
        "network.layers.a",
        r"unknown operation 'rellu' \(did you mean 'relu'\?\)",
        "",
        "network.layers.a=relu",
    ),
    Case(
        "two operations in one node",
        "layers: {a: {dense: {features: 8}, relu: {}}}",
        "network.layers.a",
        "2 operations in one node: dense, relu",
        "one operation for each node",
        "~network.layers.a.relu",
    ),
    Case("no operation", "layers: {a: {repeat: 2}}", "network.layers.a", "the node has no operation"),
    Case("empty node", "layers: {a: relu, b: null}", "network.layers.b", "empty", "relu or", "~network.layers.b"),
    Case("a number for a node", "layers: {a: 3}", "network.layers.a", "found 3", "an operation"),
    Case(
        "misspelt argument",
        "layers: {stem: {conv: {features: 8, kernal: 3}}}",
        "network.layers.stem.conv.kernal",
        r"'conv' has no argument 'kernal' \(did you mean 'kernel'\?\)",
        "arguments: .*kernel",
        "~network.layers.stem.conv.kernal +network.layers.stem.conv.kernel=3",
    ),
    Case(
        "unlike any argument",
        "layers: {a: {dense: {features: 8, zzz: 3}}}",
        "network.layers.a.dense.zzz",
        "'dense' has no argument 'zzz'",
        "arguments: ",
        "~network.layers.a.dense.zzz",
    ),
    Case(
        "missing argument",
        "layers: {a: {dense: {}}}",
        "network.layers.a.dense.features",
        "'dense' needs the argument 'features'",
        "size of the last axis",
        "+network.layers.a.dense.features=64",
    ),
    Case(
        "wrong type",
        "layers: {a: {dense: {features: wide}}}",
        "network.layers.a.dense.features",
        "found 'wide'",
        "an integer",
    ),
    Case(
        "boolean for a number",
        "layers: {a: {dropout: {rate: true}}}",
        "network.layers.a.dropout.rate",
        "found True",
        "number",
    ),
    Case(
        "out of bounds",
        "layers: {a: {dropout: {rate: 1.5}}}",
        "network.layers.a.dropout.rate",
        "found 1.5",
        "less than 1",
    ),
    Case(
        "unknown choice",
        "layers: {a: {dense: {features: 8, kernel_init: he_norml}}}",
        "network.layers.a.dense.kernel_init",
        "found 'he_norml'",
        "he_normal",
        "network.layers.a.dense.kernel_init=he_normal",
    ),
    Case(
        "argument beside the operation",
        "layers: {a: {dense: {features: 8}, use_bias: false}}",
        "network.layers.a.use_bias",
        "'use_bias' is an argument of 'dense'",
        "{dense: {use_bias: false}}",
        "~network.layers.a.use_bias +network.layers.a.dense.use_bias=false",
    ),
    Case(
        "misspelt node word",
        "layers: {a: {dense: {features: 8}, repeats: 2}}",
        "network.layers.a.repeats",
        r"unknown word 'repeats' in a node \(did you mean 'repeat'\?\)",
        "any of from, repeat",
        "~network.layers.a.repeats +network.layers.a.repeat=2",
    ),
    Case(
        "argument without a name",
        "layers: {a: {dropout: 0.5}}",
        "network.layers.a.dropout",
        "found 0.5",
        "arguments by name",
        "network.layers.a.dropout={rate: 0.5}",
    ),
    Case(
        "undefined node in from",
        "layers: {stem: relu, a: {add: {}, from: [stem, stm]}}",
        "network.layers.a.from.1",
        r"nothing is called 'stm' \(did you mean 'stem'\?\)",
        "an input or an earlier node: input, stem",
        "network.layers.a.from.1=stem",
    ),
    Case(
        "node defined only later",
        "layers: {a: {relu: {}, from: b}, b: {tanh: {}, from: input}}",
        "network.layers.a.from",
        "'b' is defined only later",
        "an input or an earlier node: input",
        "+network.layers.b.before=a",
    ),
    Case(
        "circle of two",
        "layers: {a: {relu: {}, from: b}, b: {tanh: {}, from: a}}",
        "network.layers.a.from",
        "a circle: a reads b reads a",
        "earlier nodes only",
    ),
    Case(
        "circle through the default wiring",
        "layers: {a: {add: {}, from: [input, c]}, b: tanh, c: relu}",
        "network.layers.a.from.1",
        "a circle: a reads c reads b reads a",
    ),
    Case("reads itself", "layers: {a: {relu: {}, from: a}}", "network.layers.a.from", "a circle: a reads a"),
    Case("empty from", "layers: {a: {add: {}, from: []}}", "network.layers.a.from", "an empty list"),
    Case("number in from", "layers: {a: {relu: {}, from: 3}}", "network.layers.a.from", "found 3", "name of a node"),
    Case("no layers", "layers: {}", "network.layers", "there are no layers", "mapping", "+network.layers.logits"),
    Case("layers left out", "inputs: {x: batch.x}", "network.layers", "the network has no 'layers'"),
    Case("layers as a list", "layers: [relu]", "network.layers", r"found \['relu'\]"),
    Case(
        "unknown section word",
        "layers: {a: relu}\noutput: {y: a}",
        "network.output",
        r"a network has no 'output' \(did you mean 'outputs'\?\)",
        "inputs, args, layers, outputs, blocks",
        "~network.output",
    ),
    Case(
        "output that nothing makes",
        "layers: {logits: relu}\noutputs: {y: logit}",
        "network.outputs.y",
        r"nothing is called 'logit' \(did you mean 'logits'\?\)",
        "",
        "network.outputs.y=logits",
    ),
    Case(
        "input that is no key path",
        "layers: {a: relu}\ninputs: {x: 'batch image'}",
        "network.inputs.x",
        "found 'batch image'",
        "key path",
    ),
    Case(
        "first node with several inputs",
        "layers: {a: relu, b: {add: {}, from: [x, y]}}\ninputs: {x: batch.x, y: batch.y}",
        "network.layers.a.from",
        "the first node must say which of several inputs it reads",
        "x, y",
        "+network.layers.a.from=x",
    ),
    Case(
        "`input` among several",
        "layers: {a: {add: {}, from: [input, y]}}\ninputs: {x: batch.x, y: batch.y}",
        "network.layers.a.from.0",
        "there are several inputs",
        "one of x, y",
    ),
    Case(
        "unknown share target",
        "layers: {tower: {dense: {features: 4}}, b: {share: towr}}",
        "network.layers.b.share",
        r"nothing is called 'towr' \(did you mean 'tower'\?\)",
        "an earlier node: tower",
        "network.layers.b.share=tower",
    ),
    Case(
        "share target later",
        "layers: {a: {share: b}, b: {dense: {features: 4}}}",
        "network.layers.a.share",
        "'b' is defined only later",
    ),
    Case("share with itself", "layers: {a: {relu: {}, share: a}}", "network.layers.a.share", "with itself"),
    Case(
        "share of another operation",
        "layers: {a: {dense: {features: 4}}, b: {conv: {features: 4, kernel: 1}, share: a}}",
        "network.layers.b.share",
        "'conv' cannot use the weights of 'a', which is 'dense'",
        "'conv'",
        "~network.layers.b.conv",
    ),
    Case(
        "share with other arguments",
        "layers: {a: {dense: {features: 4}}, b: {dense: {features: 5}, share: a}}",
        "network.layers.b.share",
        "'b' differs from 'a' in features",
        "the same arguments, or none",
    ),
    Case(
        "share with other copies",
        "layers: {a: {dense: {features: 4}, repeat: 3}, b: {share: a, repeat: 2}}",
        "network.layers.b.repeat",
        "2 copies cannot use the weights of 3",
    ),
    Case(
        "share of an expression",
        "layers: {a: {expr: x * 2}, b: {share: a}}",
        "network.layers.b.share",
        "'a' is an expression, which has no weights",
    ),
    Case("node called input", "layers: {input: relu}", "network.layers.input", "names what the network"),
    Case("bad node name", "layers: {my-node: relu}", "network.layers.my-node", "'my-node' is no node name", "letters"),
    Case(
        "node called like an input",
        "layers: {x: {relu: {}, from: x}}\ninputs: {x: batch.x}",
        "network.layers.x",
        "'x' is the name of an input too",
    ),
    Case(
        "node called like a copy",
        "layers: {a: {dense: {features: 4}, repeat: 3}, a_2: relu}",
        "network.layers.a_2",
        "'a_2' is the name of copy 2 of 'a' too",
    ),
    Case(
        "too many inputs",
        "layers: {a: relu, b: tanh, c: {dense: {features: 2}, from: [a, b]}}",
        "network.layers.c.from",
        "'dense' is given 2 inputs",
        r"1 input \(x\)",
    ),
    Case(
        "too few inputs",
        "layers: {a: relu, b: subtract}",
        "network.layers.b.from",
        "'subtract' is given 1 input",
        r"2 inputs \(x, y\)",
        r"+network.layers.b.from={x: a, y: ...}",
    ),
    Case(
        "unknown named input",
        "layers: {a: relu, b: {attention: {heads: 2}, from: {x: a, values: a}}}",
        "network.layers.b.from.values",
        r"'attention' has no input 'values' \(did you mean 'value'\?\)",
        r"x, key\?, value\?",
    ),
    Case(
        "names for unnamed inputs",
        "layers: {a: relu, b: {add: {}, from: {x: a, y: input}}}",
        "network.layers.b.from",
        "'add' has no named inputs",
        "a list: a, input",
    ),
    Case("repeat of zero", "layers: {a: {relu: {}, repeat: 0}}", "network.layers.a.repeat", "found 0", "at least 1"),
    Case("repeat of a half", "layers: {a: {relu: {}, repeat: 1.5}}", "network.layers.a.repeat", "found 1.5", "integer"),
    Case(
        "repeat by a wrong formula",
        "layers: {a: {relu: {}, repeat: '=depth / 2'}}\nargs: {depth: 4}",
        "network.layers.a.repeat",
        "found 2.0, which is =depth / 2 in the network",
        "an integer",
    ),
    Case(
        "remat of a word", "layers: {a: {relu: {}, remat: yes please}}", "network.layers.a.remat", "found 'yes please'"
    ),
    Case(
        "after nothing",
        "layers: {stem: relu, b: {tanh: {}, after: stemm}}",
        "network.layers.b.after",
        "nothing is called 'stemm'",
        "nodes: stem, b",
        "network.layers.b.after=stem",
    ),
    Case(
        "placed by each other",
        "layers: {a: {relu: {}, after: b}, b: {tanh: {}, after: a}, c: relu}",
        "network.layers.a.after",
        "'a' and 'b' are placed by each other",
    ),
    Case(
        "after and before",
        "layers: {a: relu, b: tanh, c: {relu: {}, after: a, before: b}}",
        "network.layers.c.before",
        "both after and before",
    ),
    Case(
        "unknown name in a formula",
        "layers: {a: {dense: {features: '=widht'}}, b: {dense: {features: '=width'}}}\nargs: {width: 4}",
        "network.layers.a.dense.features",
        r"formula '=widht' reads 'widht', which is no argument here \(did you mean 'width'\?\)",
        "arguments: width",
    ),
    Case(
        "division by zero in a formula",
        "layers: {a: {dense: {features: '=8 // groups'}}}\nargs: {groups: 0}",
        "network.layers.a.dense.features",
        "formula '=8 // groups' divides by zero with groups=0",
    ),
    Case(
        "a fraction where an integer is due",
        "layers: {a: {dense: {features: '=width / 2'}}}\nargs: {width: 8}",
        "network.layers.a.dense.features",
        "found 4.0, which is =width / 2 in the network",
        "an integer",
        "divide whole numbers with //",
    ),
    Case(
        "argument of the network that nothing reads",
        "layers: {a: relu}\nargs: {width: 8}",
        "network.args.width",
        "nothing in the network reads the argument 'width'",
        "=width",
        "~network.args.width",
    ),
    Case(
        "misspelt argument of the network",
        "layers: {a: {dense: {features: '=width'}}}\nargs: {width: 8, wdth: 9}",
        "network.args.wdth",
        r"nothing in the network reads the argument 'wdth' \(did you mean 'width'\?\)",
        "",
        "~network.args.wdth network.args.width=9",
    ),
    Case(
        "a number of our own bounds",
        "layers: {a: {conv: {features: 4, kernel: 0}}}",
        "network.layers.a.conv.kernel",
        "found 0",
        "^a positive integer",
    ),
    Case(
        "module that is a list",
        "layers: {a: {module: {_target_: [a, b]}}}",
        "network.layers.a.module._target_",
        "found",
        "an import path",
    ),
    Case(
        "required argument of the network",
        "layers: {a: {dense: {features: '=width'}}}\nargs: {width: '???'}",
        "network.args.width",
        "the network needs the argument 'width'",
        "",
        "network.args.width=...",
    ),
    Case(
        "arguments defined by each other",
        "layers: {a: {dense: {features: '=u + v'}}}\nargs: {u: '=v', v: '=u'}",
        "network.args",
        "are defined by each other: u -> v -> u",
    ),
    Case(
        "missing block argument",
        "layers: {a: {block: {}}}" + BLOCK,
        "network.layers.a.block.features",
        "block 'block' needs the argument 'features'",
        "",
        "+network.layers.a.block.features=...",
    ),
    Case(
        "unknown block argument",
        "layers: {a: {block: {features: 2, rat: 0.2}}}" + BLOCK,
        "network.layers.a.block.rat",
        "block 'block' has no argument 'rat'",
        "arguments: features, rate",
        "network.layers.a.block.rate=",
    ),
    Case(
        "wrong block argument is told where it was set",
        "layers: {a: {block: {features: wide}}}" + BLOCK,
        "network.layers.a.block.features",
        r"found 'wide', which is =features in block 'block' \(read by network.blocks.block.layers.fc.dense.features\)",
        "an integer",
    ),
    Case(
        "wrong default of a block is told where it was set",
        "layers: {a: {b: {}}}\nblocks: {b: {args: {rate: 2.0}, layers: {drop: {dropout: {rate: '=rate'}}}}}",
        "network.blocks.b.args.rate",
        "found 2.0, which is =rate in block 'b'",
        "less than 1",
    ),
    Case(
        "formula of a block names its user",
        "layers: {a: {b: {n: 0}}}\nblocks: {b: {args: {n: 1}, layers: {fc: {dense: {features: '=8 // n'}}}}}",
        "network.blocks.b.layers.fc.dense.features",
        r"divides by zero with n=0 \(for network.layers.a\)",
    ),
    Case(
        "unread block argument",
        "layers: {a: {b: {n: 1}}}\nblocks: {b: {args: {n: 1}, layers: {act: relu}}}",
        "network.blocks.b.args.n",
        "nothing in block 'b' reads the argument 'n'",
        "=n",
        "~network.blocks.b.args.n",
    ),
    Case(
        "block that uses itself",
        "layers: {a: b}\nblocks: {b: {layers: {again: b}}}",
        "network.blocks.b.layers",
        "block 'b' uses itself: b -> b",
        "blocks that end",
    ),
    Case(
        "blocks that use each other",
        "layers: {a: b}\nblocks: {b: {layers: {x: {residual: {layers: {y: c}}}}}, c: {layers: {z: {b: {}}}}}",
        "network.blocks.b.layers",
        "block 'b' uses itself: b -> c -> b",
    ),
    Case(
        "recursion by formula",
        "layers: {a: {b: {which: b}}}\nblocks: {b: {args: {which: relu}, layers: {x: '=which'}}}",
        "network.blocks.b.layers.x",
        "block 'b' uses itself: b -> b",
    ),
    Case(
        "block called like an operation",
        "layers: {a: dense_}\nblocks: {dense_: {layers: {a: relu}}, relu: {layers: {a: tanh}}}",
        "network.blocks.relu",
        "'relu' is a built-in operation",
    ),
    Case(
        "block without layers",
        "layers: {a: b}\nblocks: {b: {args: {}}}",
        "network.blocks.b.layers",
        "there are no layers",
    ),
    Case(
        "misspelt word in a block",
        "layers: {a: b}\nblocks: {b: {layers: {x: relu}, output: x}}",
        "network.blocks.b.output",
        r"a block has no 'output' \(did you mean 'outputs'\?\)",
        "args, inputs, layers, outputs",
    ),
    Case("block of the wrong kind", "layers: {a: b}\nblocks: {b: relu}", "network.blocks.b", "found 'relu'", "layers"),
    Case(
        "several outputs read as one",
        "layers: {a: b, c: {relu: {}, from: a}}\nblocks: {b: {layers: {x: relu, y: tanh}, outputs: {one: x, two: y}}}",
        "network.layers.c.from",
        "'a' gives several outputs",
        "one of a.one, a.two",
        "network.layers.c.from=a.",
    ),
    Case(
        "unknown one of several outputs",
        "layers: {a: b, c: {relu: {}, from: a.tow}}\n"
        "blocks: {b: {layers: {x: relu, y: tanh}, outputs: {one: x, two: y}}}",
        "network.layers.c.from",
        "'a' gives no output 'tow'",
        "",
        "network.layers.c.from=a.two",
    ),
    Case(
        "output of a node that has one",
        "layers: {a: relu, c: {relu: {}, from: a.x}}",
        "network.layers.c.from",
        "'a' gives one output, not 'x'",
        "a",
        "network.layers.c.from=a",
    ),
    Case(
        "combinator without layers",
        "layers: {a: {residual: {}}}",
        "network.layers.a.residual.layers",
        "there are no layers",
    ),
    Case(
        "misspelt combinator argument",
        "layers: {a: {parallel: {layers: {b: relu, c: tanh}, merg: add}}}",
        "network.layers.a.parallel.merg",
        r"'parallel' has no argument 'merg' \(did you mean 'merge'\?\)",
        "layers, merge, axis",
    ),
    Case(
        "unknown merge",
        "layers: {a: {parallel: {layers: {b: relu, c: tanh}, merge: cat}}}",
        "network.layers.a.parallel.merge",
        "unknown value 'cat'",
        "add, concat, multiply, mean, stack",
        "network.layers.a.parallel.merge=concat",
    ),
    Case(
        "axis that the merge does not read",
        "layers: {a: {parallel: {layers: {b: relu, c: tanh}, merge: add, axis: 1}}}",
        "network.layers.a.parallel.axis",
        "merge 'add' reads no axis",
    ),
    Case(
        "branch that reads another",
        "layers: {a: {parallel: {layers: {b: relu, c: {tanh: {}, from: b}}}}}",
        "network.layers.a.parallel.layers.c.from",
        "'b' is another branch",
        "are given: input",
    ),
    Case(
        "mistake inside a combinator",
        "layers: {a: {residual: {layers: {fc: {dense: {features: no}}}}}}",
        "network.layers.a.residual.layers.fc.dense.features",
        "found False",
        "an integer",
    ),
    Case(
        "expression with an unknown name",
        "layers: {a: {expr: x * y}}",
        "network.layers.a.expr",
        r"'x \* y' reads 'y', which is no input of the node",
        "inputs: x",
        "+network.layers.a.from={x: ..., y: ...}",
    ),
    Case(
        "expression that leaves an input unread",
        "layers: {a: relu, b: {expr: a * 2, from: [a, input]}}",
        "network.layers.b.from",
        r"'a \* 2' does not read 'input'",
    ),
    Case("expression of nothing", "layers: {a: {expr: ''}}", "network.layers.a.expr", "found ''", "array expression"),
    Case(
        "expression that is code",
        "layers: {a: {expr: 'x.tofile(1)'}}",
        "network.layers.a.expr",
        r"no methods, such as '.tofile\(...\)'",
    ),
    Case(
        "module without target", "layers: {a: {module: {width: 2}}}", "network.layers.a.module._target_", "no _target_"
    ),
    Case(
        "module with a bare name",
        "layers: {a: {module: {_target_: Dense}}}",
        "network.layers.a.module._target_",
        "found 'Dense'",
        "package.module.Name",
    ),
    Case("module as a word", "layers: {a: {module: my.Net}}", "network.layers.a.module", "found 'my.Net'", "_target_"),
    Case(
        "module with an unknown directive",
        "layers: {a: {module: {_target_: my.Net, _args_: [1]}}}",
        "network.layers.a.module._args_",
        "a module has no '_args_'",
    ),
]


def problems(network: str) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as raised:
        elaborate(yaml.safe_load(network))
    return raised.value.problems


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_mistake_is_told_once_with_key_found_expected_and_fix(case: Case) -> None:
    told = problems(case.network)
    assert len(told) == 1, "\n".join(map(str, told))
    (problem,) = told
    assert problem.key == case.key
    assert re.search(case.found, problem.found)
    assert re.search(case.expected, problem.expected or "")
    assert case.fix in (problem.fix or "")


def test_all_mistakes_are_told_at_once() -> None:
    network = """
    args: {width: 0}
    layers:
      stem: {cnv: {features: 8}}
      a:    {dense: {featurs: 8}}
      b:    {dense: {features: "=8 // width"}, from: [stem, nowhere]}
      c:    {relu: {}, repeat: 0}
    outputs: {y: z}
    """
    keys = {problem.key for problem in problems(network)}
    assert keys == {
        "network.layers.stem.cnv",
        "network.layers.a.dense.featurs",
        "network.layers.b.dense.features",
        "network.layers.b.from.1",
        "network.layers.c.repeat",
        "network.outputs.y",
    }


def test_a_mistake_in_a_block_that_is_used_twice_is_told_once() -> None:
    network = "layers: {a: b, c: b}\nblocks: {b: {layers: {x: {dense: {featurs: 1}}}}}"
    assert [problem.key for problem in problems(network)] == ["network.blocks.b.layers.x.dense.featurs"]


def test_keys_begin_with_the_key_of_the_section() -> None:
    with pytest.raises(ConfigError, match=r"^model\.encoder\.layers\.a: unknown operation 'rellu'"):
        elaborate({"layers": {"a": "rellu"}}, key="model.encoder")


def test_blocks_of_blocks_cannot_grow_without_bound() -> None:
    blocks = {f"b{i}": {"layers": {f"n{j}": f"b{i + 1}" for j in range(10)}} for i in range(9)}
    blocks["b9"] = {"layers": {"act": "relu"}}
    with pytest.raises(ConfigError, match="more than 20000 nodes"):
        elaborate({"layers": {"a": "b0"}, "blocks": blocks})
