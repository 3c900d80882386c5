"""Networks that cannot be read: names, words, arguments, formulas, blocks. JAX is not needed to tell."""

from __future__ import annotations

from broken_network import Broken

DECLARATIONS = [
    Broken(
        "circle",
        """
      layers:
        flat: flatten
        a: {add: {}, from: [flat, b]}  # <- told
        b: {dense: {features: 64}, from: a}
        logits: {dense: {features: 10}}
        """,
        key="network.layers.a.from.1",
        found="a circle: a reads b reads a",
        expected="nodes that read inputs and earlier nodes only; a loop over time is a layer, such as gru",
        fix="network.layers.a.from.1=flat, or another earlier node",
    ),
    Broken(
        "unknown operation",
        """
      layers:
        flat: flatten
        stem: {dens: {features: 8}}  # <- told
        logits: {dense: {features: 10}}
        """,
        key="network.layers.stem.dens",
        found="unknown operation 'dens' (did you mean 'dense'?)",
        expected="an operation that `fw list layers` shows, a block, residual, parallel",
        fix="~network.layers.stem.dens +network.layers.stem.dense={features:8}",
    ),
    Broken(
        "misspelt argument",
        """
      layers:
        conv: {conv: {features: 8, kernal: 3}}  # <- told
        pool: global_avg_pool
        logits: {dense: {features: 10}}
        """,
        key="network.layers.conv.conv.kernal",
        found="'conv' has no argument 'kernal' (did you mean 'kernel'?)",
        expected="arguments: features, kernel, strides, dilation, groups, padding, dtype",
        fix="~network.layers.conv.conv.kernal +network.layers.conv.conv.kernel=3",
    ),
    Broken(
        "block without an argument that it needs",
        """
      layers:
        stem: {unit: {kernel: 3}}  # <- told
        pool: global_avg_pool
        logits: {dense: {features: 10}}
      blocks:
        unit:
          args: {features: "???", kernel: 1}
          layers:
            conv: {conv: {features: "=features", kernel: "=kernel"}}
        """,
        key="network.layers.stem.unit.features",
        found="block 'unit' needs the argument 'features'",
        expected="a value, since network.blocks.unit.args has no default for it",
        fix="+network.layers.stem.unit.features=...",
    ),
    Broken(
        "block that uses itself",
        """
      layers: {flat: flatten, body: unit, logits: {dense: {features: 10}}}
      blocks:
        unit:
          layers:  # <- told
            fc: {dense: {features: 64}}
            again: unit
        """,
        key="network.blocks.unit.layers",
        found="block 'unit' uses itself: unit -> unit",
        expected="blocks that end; `repeat: N` stacks copies",
        fix="put another operation in place of unit's use of 'unit'",
    ),
    Broken(
        "blocks that use each other",
        """
      layers: {flat: flatten, body: outer, logits: {dense: {features: 10}}}
      blocks:
        outer:
          layers:  # <- told
            fc: inner
        inner:
          layers:
            fc: {residual: {layers: {back: outer}}}
        """,
        key="network.blocks.outer.layers",
        found="block 'outer' uses itself: outer -> inner -> outer",
        expected="blocks that end; `repeat: N` stacks copies",
        fix="put another operation in place of inner's use of 'outer'",
    ),
    Broken(
        "forward reference",
        """
      layers:
        flat: flatten
        sum: {add: {}, from: [flat, wide]}  # <- told
        wide: {dense: {features: 64}, from: flat}
        logits: {dense: {features: 10}, from: sum}
        """,
        key="network.layers.sum.from.1",
        found="'wide' is defined only later",
        expected="an input or an earlier node: input, flat",
        fix="+network.layers.wide.before=sum",
    ),
    Broken(
        "output that nothing makes",
        """
      layers:
        flat: flatten
        logits: {dense: {features: 10}}
      outputs:
        logits: logit  # <- told
        """,
        key="network.outputs.logits",
        found="nothing is called 'logit' (did you mean 'logits'?)",
        expected="an input or a node: input, flat, logits",
        fix="network.outputs.logits=logits",
    ),
    Broken(
        "share of an unknown node",
        """
      layers:
        flat: flatten
        first: {dense: {features: 64}}
        second: {share: frist}  # <- told
        logits: {dense: {features: 10}}
        """,
        key="network.layers.second.share",
        found="nothing is called 'frist' (did you mean 'first'?)",
        expected="an earlier node: flat, first",
        fix="network.layers.second.share=first",
    ),
    Broken(
        "share of a later node",
        """
      layers:
        flat: flatten
        first: {share: second}  # <- told
        second: {dense: {features: 64}}
        logits: {dense: {features: 10}}
        """,
        key="network.layers.first.share",
        found="'second' is defined only later",
        expected="an earlier node: flat",
        fix="+network.layers.second.before=first",
    ),
    Broken(
        "formula dividing by zero",
        """
      args: {groups: 0}
      layers:
        flat: flatten
        fc: {dense: {features: "=64 // groups"}}  # <- told
        logits: {dense: {features: 10}}
        """,
        key="network.layers.fc.dense.features",
        found="formula '=64 // groups' divides by zero with groups=0",
        expected="a divisor that is not 0",
        fix="network.args.groups=1",
    ),
    Broken(
        "formula with an unknown name",
        """
      args: {width: 16}
      layers:
        flat: flatten
        fc: {dense: {features: "=2 * widht"}}  # <- told
        fc2: {dense: {features: "=width"}}
        logits: {dense: {features: 10}}
        """,
        key="network.layers.fc.dense.features",
        found="formula '=2 * widht' reads 'widht', which is no argument here (did you mean 'width'?)",
        expected="arguments: width",
        fix="network.layers.fc.dense.features='=2 * width'",
    ),
    Broken(
        "argument that nothing reads",
        """
      args: {width: 16, depth: 2}  # <- told
      layers:
        flat: flatten
        fc: {dense: {features: "=width"}}
        logits: {dense: {features: 10}}
        """,
        key="network.args.depth",
        found="nothing in the network reads the argument 'depth'",
        expected="a formula such as '=depth' in its layers",
        fix="~network.args.depth",
    ),
    Broken(
        "argument of a block that nothing reads",
        """
      layers: {flat: flatten, body: unit, logits: {dense: {features: 10}}}
      blocks:
        unit:
          args: {width: 4}  # <- told
          layers:
            fc: {dense: {features: 64}}
        """,
        key="network.blocks.unit.args.width",
        found="nothing in block 'unit' reads the argument 'width'",
        expected="a formula such as '=width' in its layers",
        fix="~network.blocks.unit.args.width",
    ),
    Broken(
        "repeat of zero",
        """
      layers:
        flat: flatten
        fc: {dense: {features: 64}, repeat: 0}  # <- told
        logits: {dense: {features: 10}}
        """,
        key="network.layers.fc.repeat",
        found="found 0",
        expected="an integer of at least 1",
        fix="network.layers.fc.repeat=1, or ~network.layers.fc to leave the node out",
    ),
    Broken(
        "repeat of a negative number",
        """
      args: {depth: 1}
      layers:
        flat: flatten
        fc: {dense: {features: 64}, repeat: "=depth - 2"}  # <- told
        logits: {dense: {features: 10}}
        """,
        key="network.layers.fc.repeat",
        found="found -1, which is =depth - 2 in the network",
        expected="an integer of at least 0",
        fix="network.layers.fc.repeat='=max(depth - 2, 0)'",
    ),
    Broken(
        "repeat of a word",
        """
      layers:
        flat: flatten
        fc: {dense: {features: 64}, repeat: twice}  # <- told
        logits: {dense: {features: 10}}
        """,
        key="network.layers.fc.repeat",
        found="found 'twice'",
        expected="an integer of at least 1",
        fix="network.layers.fc.repeat=1",
    ),
    Broken(
        "misspelt name in from",
        """
      layers:
        flat: flatten
        left: {dense: {features: 8}}
        right: {dense: {features: 8}, from: falt}  # <- told
        logits: {dense: {features: 10}}
        """,
        key="network.layers.right.from",
        found="nothing is called 'falt' (did you mean 'flat'?)",
        expected="an input or an earlier node: input, flat, left",
        fix="network.layers.right.from=flat",
    ),
    Broken(
        "too many inputs",
        """
      layers:
        flat: flatten
        fc: {dense: {features: 8}}
        logits: {dense: {features: 10}, from: [fc, flat]}  # <- told
        """,
        key="network.layers.logits.from",
        found="'dense' is given 2 inputs: fc, flat",
        expected="1 input (x)",
        fix=(
            "network.layers.logits.from=fc, or a node before it that joins them, such as {concat: {}, from: [fc, flat]}"
        ),
    ),
    Broken(
        "too few inputs",
        """
      layers:
        flat: flatten
        diff: {subtract: {}, from: flat}  # <- told
        logits: {dense: {features: 10}}
        """,
        key="network.layers.diff.from",
        found="'subtract' is given 1 input: flat",
        expected="2 inputs (x, y)",
        fix="+network.layers.diff.from={x: flat, y: ...}",
    ),
    Broken(
        "misspelt name of an input",
        """
      layers:
        rows: {reshape: {shape: [8, 8]}}
        look: {attention: {heads: 2}, from: {x: rows, kay: rows}}  # <- told
        mean: global_avg_pool
        logits: {dense: {features: 10}}
        """,
        key="network.layers.look.from.kay",
        found="'attention' has no input 'kay' (did you mean 'key'?)",
        expected="5 inputs (x, key?, value?, mask?, bias?)",
        fix="~network.layers.look.from.kay +network.layers.look.from.key=rows",
    ),
    Broken(
        "dropout rate of 1.5",
        """
      layers:
        flat: flatten
        drop: {dropout: {rate: 1.5}}  # <- told
        logits: {dense: {features: 10}}
        """,
        key="network.layers.drop.dropout.rate",
        found="found 1.5",
        expected="less than 1",
        fix="network.layers.drop.dropout.rate=0.1",
    ),
    Broken(
        "negative features",
        """
      layers:
        flat: flatten
        fc: {dense: {features: -8}}  # <- told
        logits: {dense: {features: 10}}
        """,
        key="network.layers.fc.dense.features",
        found="found -8",
        expected="greater than 0",
        fix="network.layers.fc.dense.features=8",
    ),
    Broken(
        "both after and before",
        """
      layers:
        flat: flatten
        logits: {dense: {features: 10}}
        fc: {dense: {features: 8}, after: flat, before: logits}  # <- told
        """,
        key="network.layers.fc.before",
        found="both after and before",
        expected="one of them",
        fix="~network.layers.fc.before",
    ),
    Broken(
        "node declared twice",
        """
      layers:
        flat: flatten
        fc: {dense: {features: 8}}
        fc: {dense: {features: 16}}  # <- told
        logits: {dense: {features: 10}}
        """,
        key="network.layers.fc",
        found="set twice, on line 9 and on line 10",
        expected="each key once",
        fix="keep one of the two lines",
    ),
    Broken(
        "expression with a forbidden call",
        """
      layers:
        flat: flatten
        act: {expr: "open('/etc/passwd')"}  # <- told
        logits: {dense: {features: 10}}
        """,
        key="network.layers.act.expr",
        found="expressions have no function 'open'",
        expected="an allowed function of jax.numpy or jax.nn, such as exp, where, mean or softmax",
    ),
    Broken(
        "expression with a method",
        """
      layers:
        flat: flatten
        act: {expr: "x.sin()"}  # <- told
        logits: {dense: {features: 10}}
        """,
        key="network.layers.act.expr",
        found="expressions call no methods, such as '.sin(...)'",
        expected="sin(x)",
        fix="network.layers.act.expr='sin(x)'",
    ),
    Broken(
        "expression with an unknown function",
        """
      layers:
        flat: flatten
        act: {expr: "x * sigmoyd(x)"}  # <- told
        logits: {dense: {features: 10}}
        """,
        key="network.layers.act.expr",
        found="expressions have no function 'sigmoyd' (did you mean 'sigmoid'?)",
        expected="an allowed function of jax.numpy or jax.nn, such as exp, where, mean or softmax",
        fix="network.layers.act.expr='x * sigmoid(x)'",
    ),
    Broken(
        "ensemble of no members",
        """
      layers:
        flat: flatten
        logits: {ensemble: {members: 0, layers: {fc: {dense: {features: 10}}}}}  # <- told
        """,
        key="network.layers.logits.ensemble.members",
        found="found 0",
        expected="an integer of at least 1",
        fix="network.layers.logits.ensemble.members=5",
    ),
    Broken(
        "bidirectional of nothing",
        """
      layers:
        rows: {reshape: {shape: [8, 8]}}
        both: {bidirectional: {layers: {}}}  # <- told
        pool: global_avg_pool
        logits: {dense: {features: 10}}
        """,
        key="network.layers.both.bidirectional.layers",
        found="there are no layers",
        expected="an ordered mapping: node name -> node",
        fix="+network.layers.both.bidirectional.layers.rnn={gru: {features: 64}}",
    ),
    Broken(
        "bidirectional as a bare word",
        """
      layers:
        rows: {reshape: {shape: [8, 8]}}
        both: bidirectional  # <- told
        pool: global_avg_pool
        logits: {dense: {features: 10}}
        """,
        key="network.layers.both",
        found="'bidirectional' has nothing inside",
        expected="layers: an ordered mapping, node name -> node",
        fix="network.layers.both={bidirectional: {layers: {...}}}",
    ),
    Broken(
        "unembed without share",
        """
      layers:
        flat: flatten
        logits: unembed  # <- told
        """,
        key="network.layers.logits.share",
        found="'unembed' reads the weights of another node, and none is named",
        expected="an earlier node with the parameter embedding",
        fix="put an embed before it: +network.layers.logits.share=ITS_NAME",
    ),
    Broken(
        "unknown initialiser",
        """
      layers:
        flat: flatten
        logits: {dense: {features: 10, kernel_init: kaiming}}  # <- told
        """,
        key="network.layers.logits.dense.kernel_init",
        found="found 'kaiming'",
        expected="'zeros', 'ones', 'constant', 'normal', 'truncated_normal', 'uniform'",
        fix="network.layers.logits.dense.kernel_init=kaiming_normal",
    ),
    Broken(
        "misspelt argument of an initialiser",
        """
      layers:
        flat: flatten
        logits: {dense: {features: 10, kernel_init: {normal: {std: 0.02}}}}  # <- told
        """,
        key="network.layers.logits.dense.kernel_init",
        found="found {normal:{std:0.02}}",
        expected="arguments of 'normal': stddev, mean",
        fix=(
            "~network.layers.logits.dense.kernel_init.normal.std "
            "+network.layers.logits.dense.kernel_init.normal.stddev=0.02"
        ),
    ),
    Broken(
        "freeze that is no boolean",
        """
      layers:
        flat: flatten
        fc: {dense: {features: 8}, freeze: 1}  # <- told
        logits: {dense: {features: 10}}
        """,
        key="network.layers.fc.freeze",
        found="found 1",
        expected="true or false",
        fix="network.layers.fc.freeze=true",
    ),
    Broken(
        "negative regulariser",
        """
      layers:
        flat: flatten
        fc: {dense: {features: 8}, kernel_regularizer: {l2: -0.1}}  # <- told
        logits: {dense: {features: 10}}
        """,
        key="network.layers.fc.kernel_regularizer.l2",
        found="found -0.1",
        expected="a number of at least 0",
        fix="network.layers.fc.kernel_regularizer.l2=1e-4",
    ),
    Broken(
        "input of a block named twice",
        """
      layers:
        flat: flatten
        body: {unit: {}, from: flat}
        logits: {dense: {features: 10}}
      blocks:
        unit:
          inputs: [x, x]  # <- told
          layers: {fc: {dense: {features: 8}, from: x}}
        """,
        key="network.blocks.unit.inputs",
        found="a name stands twice in x, x",
        expected="different names",
        fix="network.blocks.unit.inputs=[x]",
    ),
    Broken(
        "node called input",
        """
      layers:
        flat: flatten
        input: {dense: {features: 8}}  # <- told
        logits: {dense: {features: 10}}
        """,
        key="network.layers.input",
        found="'input' names what the network or block is given",
        expected="another name",
        fix="call it network.layers.first",
    ),
    Broken(
        "parts of an array taken as one",
        """
      layers:
        flat: flatten
        parts: {split: {parts: 2}}
        logits: {dense: {features: 10}}  # <- told
        """,
        key="network.layers.logits.from",
        found="the node before, 'parts', gives several outputs",
        expected="one of parts.0, parts.1, ...",
        fix="+network.layers.logits.from=parts.0",
    ),
    Broken(
        "parts of an array named as one",
        """
      layers:
        flat: flatten
        parts: {split: {parts: 2}}
        logits: {dense: {features: 10}, from: parts}  # <- told
        """,
        key="network.layers.logits.from",
        found="'parts' gives several outputs",
        expected="one of parts.0, parts.1, ...",
        fix="network.layers.logits.from=parts.0",
    ),
    Broken(
        "unknown number format",
        """
      layers:
        flat: flatten
        fc: {dense: {features: 8, dtype: float23}}  # <- told
        logits: {dense: {features: 10}}
        """,
        key="network.layers.fc.dense.dtype",
        found="found 'float23'",
        expected="'float32', 'bfloat16', 'float16' or 'float64'",
        fix="network.layers.fc.dense.dtype=float32",
    ),
    Broken(
        "heads of keys that do not divide",
        """
      layers:
        rows: {reshape: {shape: [8, 8]}}
        b: {transformer_block: {heads: 4, kv_heads: 3}}  # <- told
        pool: global_avg_pool
        logits: {dense: {features: 10}}
        """,
        key="network.layers.b.transformer_block",
        found="'transformer_block': 4 heads cannot share 3 kv_heads evenly",
        fix="set kv_heads to one of 1, 2, 4",
    ),
    Broken(
        "weights of another operation",
        """
      layers:
        flat: flatten
        one: {dense: {features: 8}}
        two: {einsum: {equation: "bi,io->bo"}, share: one, from: flat}  # <- told
        logits: {dense: {features: 10}}
        """,
        key="network.layers.two.share",
        found="'einsum' cannot use the weights of 'one', which is 'dense'",
        expected="a node of the operation 'einsum'",
        fix="~network.layers.two.einsum",
    ),
    Broken(
        "transposition of the batch",
        """
      layers:
        turned: {transpose: {axes: [0, 1, 2]}}  # <- told
        mean: global_avg_pool
        logits: {dense: {features: 10}}
        """,
        key="network.layers.turned.transpose.axes",
        found="found [0,1,2]",
        expected="each of the axes 1, 2, ... once, without 0, the batch",
        fix="network.layers.turned.transpose.axes=null",
    ),
    Broken(
        "expression with an attribute",
        """
      layers:
        flat: flatten
        act: {expr: "x.real"}  # <- told
        logits: {dense: {features: 10}}
        """,
        key="network.layers.act.expr",
        found="expressions have no attribute '.real'",
        expected="real(x)",
        fix="network.layers.act.expr='real(x)'",
    ),
    Broken(
        "misspelt input of a block",
        """
      layers:
        flat: flatten
        mix: {both: {}, from: {one: flat, too: flat}}  # <- told
        logits: {dense: {features: 10}}
      blocks:
        both:
          inputs: [one, two]
          layers: {sum: {add: {}, from: [one, two]}}
        """,
        key="network.layers.mix.from.too",
        found="'both' has no input 'too' (did you mean 'two'?)",
        expected="2 inputs (one, two)",
        fix="~network.layers.mix.from.too +network.layers.mix.from.two=flat",
    ),
    Broken(
        "misspelt argument of a block",
        """
      layers:
        flat: flatten
        mix: {unit: {widht: 8}}  # <- told
        logits: {dense: {features: 10}}
      blocks:
        unit:
          args: {width: 4}
          layers: {fc: {dense: {features: "=width"}}}
        """,
        key="network.layers.mix.unit.widht",
        found="block 'unit' has no argument 'widht'",
        expected="arguments: width",
        fix="~network.layers.mix.unit.widht +network.layers.mix.unit.width=8",
    ),
    Broken(
        "argument beside the operation",
        """
      layers:
        flat: flatten
        logits: {dense: {features: 10}, use_bias: false}  # <- told
        """,
        key="network.layers.logits.use_bias",
        found="'use_bias' is an argument of 'dense'",
        expected="{dense: {use_bias: false}}",
        fix="~network.layers.logits.use_bias +network.layers.logits.dense.use_bias=false",
    ),
    Broken(
        "branch that reads another",
        """
      layers:
        flat: flatten
        both: {parallel: {layers: {left: {dense: {features: 8}}, right: {relu: {}, from: left}}}}  # <- told
        logits: {dense: {features: 10}}
        """,
        key="network.layers.both.parallel.layers.right.from",
        found="'left' is another branch",
        expected="what all branches are given: input",
        fix="~network.layers.both.parallel.layers.right.from",
    ),
    Broken(
        "misspelt merge",
        """
      layers:
        rows: {reshape: {shape: [8, 8]}}
        both: {bidirectional: {merge: multipy, layers: {rnn: {gru: {features: 4}}}}}  # <- told
        pool: global_avg_pool
        logits: {dense: {features: 10}}
        """,
        key="network.layers.both.bidirectional.merge",
        found="unknown value 'multipy'",
        expected="add, concat, multiply, mean, stack",
        fix="network.layers.both.bidirectional.merge=multiply",
    ),
    Broken(
        "fraction where an integer is due",
        """
      args: {width: 8}
      layers:
        flat: flatten
        fc: {dense: {features: "=width / 2"}}  # <- told
        logits: {dense: {features: 10}}
        """,
        key="network.layers.fc.dense.features",
        found="found 4.0, which is =width / 2 in the network",
        expected="an integer",
        fix="divide whole numbers with //: network.layers.fc.dense.features='=width // 2'",
    ),
]
