"""Networks that can be read, but whose arrays do not fit."""

from __future__ import annotations

from broken_network import Broken

SHAPES = [
    Broken(
        "convolution of vectors",
        """
      layers:
        flat: flatten
        conv: {conv: {features: 8, kernel: 3}}  # <- told
        logits: {dense: {features: 10}}
        """,
        key="network.layers.conv",
        found="'conv' cannot take float32[1, 64] from network.layers.flat (flatten)",
        expected="a convolution needs [batch, *space, channels] with 1 to 3 space dimensions",
        fix="put a reshape before it, e.g. {reshape: {shape: [8, 8, 1]}}",
    ),
    Broken(
        "sum of different sizes",
        """
      layers:
        flat: flatten
        wide: {dense: {features: 32}}
        sum:  {add: {}, from: [wide, flat]}  # <- told
        logits: {dense: {features: 10}}
        """,
        key="network.layers.sum",
        found=(
            "'add' cannot take float32[1, 32] from network.layers.wide (dense) and float32[1, 64] from "
            "network.layers.flat (flatten)"
        ),
        expected="arrays that are combined need one rank and sizes that are equal or 1",
        fix="put a dense, conv or reshape before one of them",
    ),
    Broken(
        "concatenation of different spaces",
        """
      layers:
        small: {conv: {features: 4, kernel: 3, strides: 2}}
        join: {concat: {}, from: [small, input]}  # <- told
        pool: global_avg_pool
        logits: {dense: {features: 10}}
        """,
        key="network.layers.join",
        found=(
            "'concat' cannot take float32[1, 4, 4, 4] from network.layers.small (conv) and float32[1, "
            "8, 8, 1] from the input 'input'"
        ),
        expected="all sizes but those of axis -1 must agree",
        fix="make them equal, by strides, resize, crop or reshape",
    ),
    Broken(
        "kernel larger than the input",
        """
      layers:
        c: {conv: {features: 4, kernel: 11, padding: valid}}  # <- told
        pool: global_avg_pool
        logits: {dense: {features: 10}}
        """,
        key="network.layers.c",
        found="'conv' cannot take float32[1, 8, 8, 1] from the input 'input'",
        expected="a kernel that reaches over [11, 11] needs an input of at least that size",
        fix="network.layers.c.conv.padding=same, or take a smaller size",
    ),
    Broken(
        "heads that do not divide the features",
        """
      layers:
        rows: {reshape: {shape: [8, 8]}}
        look: {attention: {heads: 3}}  # <- told
        mean: global_avg_pool
        logits: {dense: {features: 10}}
        """,
        key="network.layers.look",
        found="'attention' cannot take float32[1, 8, 8] from network.layers.rows (reshape): 8 features",
        expected="3 heads must divide them",
        fix="network.layers.look.attention.heads=2, or set head_features",
    ),
    Broken(
        "pooling window larger than the input",
        """
      layers:
        pool: {max_pool: {window: 9}}  # <- told
        mean: global_avg_pool
        logits: {dense: {features: 10}}
        """,
        key="network.layers.pool",
        found="'max_pool' cannot take float32[1, 8, 8, 1] from the input 'input'",
        expected="a window that reaches over [9, 9] needs an input of at least that size",
        fix="network.layers.pool.max_pool.padding=same, or take a smaller size",
    ),
    Broken(
        "shared weights of another shape",
        """
      layers:
        flat: flatten
        first: {dense: {features: 32}}
        second: {share: first}  # <- told
        logits: {dense: {features: 10}}
        """,
        key="network.layers.second",
        found=(
            "'second' shares its weights and is given float32[1, 32] from network.layers.first (dense), "
            "for which its kernel must be [32, 32]; that of 'first' is [64, 32]"
        ),
        expected="an input with as many features as 'first' is given",
        fix=(
            "~network.layers.second.share +network.layers.second.dense={...} for weights of its own, or "
            "change what it reads"
        ),
    ),
    Broken(
        "branches of different sizes",
        """
      layers:
        flat: flatten
        both:
          parallel:  # <- told
            merge: add
            layers:
              left: {dense: {features: 8}}
              right: {dense: {features: 12}}
        logits: {dense: {features: 10}}
        """,
        key="network.layers.both.parallel",
        found=(
            "'parallel' cannot merge float32[1, 8] from network.layers.both.parallel.layers.left "
            "(dense) and float32[1, 12] from network.layers.both.parallel.layers.right (dense)"
        ),
        expected="arrays that are combined need one rank and sizes that are equal or 1",
        fix="give the branches one shape, or choose another merge",
    ),
    Broken(
        "residual whose branch changes shape",
        """
      layers:
        stem:
          residual:  # <- told
            layers:
              conv: {conv: {features: 16, kernel: 3}}
              norm: batch_norm
        pool: global_avg_pool
        logits: {dense: {features: 10}}
        """,
        key="network.layers.stem.residual",
        found=(
            "'residual' cannot add float32[1, 8, 8, 16] from network.layers.stem.residual.layers.norm "
            "(batch_norm) and float32[1, 8, 8, 1] from the input 'input'"
        ),
        expected="layers that give the shape of the residual's input, or a shortcut that gives theirs",
        fix="+network.layers.stem.residual.shortcut={dense: {features: 16}}",
    ),
    Broken(
        "residual whose branch changes the space",
        """
      layers:
        stem: {conv: {features: 16, kernel: 3}}
        down:
          residual:  # <- told
            layers:
              conv: {conv: {features: 16, kernel: 3, strides: 2}}
        pool: global_avg_pool
        logits: {dense: {features: 10}}
        """,
        key="network.layers.down.residual",
        found=(
            "'residual' cannot add float32[1, 4, 4, 16] from network.layers.down.residual.layers.conv "
            "(conv) and float32[1, 8, 8, 16] from network.layers.stem (conv)"
        ),
        expected="layers that give the shape of the residual's input, or a shortcut that gives theirs",
        fix="+network.layers.down.residual.shortcut={conv: {features: 16, kernel: 1, strides: 2}}",
    ),
    Broken(
        "groups that do not divide the channels",
        """
      layers:
        stem: {conv: {features: 6, kernel: 3}}
        conv: {conv: {features: 8, kernel: 3, groups: 4}}  # <- told
        pool: global_avg_pool
        logits: {dense: {features: 10}}
        """,
        key="network.layers.conv",
        found="'conv' cannot take float32[1, 8, 8, 6] from network.layers.stem (conv): 6 channels and 8 features",
        expected="4 groups must divide both",
        fix="network.layers.conv.conv.groups=2, or a divisor of it",
    ),
    Broken(
        "reshape that does not multiply out",
        """
      layers:
        rows: {reshape: {shape: [8, 9]}}  # <- told
        mean: global_avg_pool
        logits: {dense: {features: 10}}
        """,
        key="network.layers.rows",
        found="'reshape' cannot take float32[1, 8, 8, 1] from the input 'input'",
        expected="shape [batch, 8, 9] needs 72 elements for each example and not 64",
        fix="give sizes whose product is 64, or make one -1",
    ),
    Broken(
        "transposition that leaves an axis out",
        """
      layers:
        turned: {transpose: {axes: [2, 1]}}  # <- told
        mean: global_avg_pool
        logits: {dense: {features: 10}}
        """,
        key="network.layers.turned",
        found="'transpose' cannot take float32[1, 8, 8, 1] from the input 'input'",
        expected="axes must name each axis but the batch",
        fix="set axes to an order of [1, 2, 3]",
    ),
    Broken(
        "slice out of range",
        """
      layers:
        rows: {reshape: {shape: [8, 8]}}
        part: {slice: {axis: 1, start: 8, stop: 12}}  # <- told
        mean: global_avg_pool
        logits: {dense: {features: 10}}
        """,
        key="network.layers.part",
        found="'slice' cannot take float32[1, 8, 8] from network.layers.rows (reshape): size 8 of axis 1",
        expected="some of it between start 8 and stop 12",
        fix="change start or stop",
    ),
    Broken(
        "slice of an axis that is not there",
        """
      layers:
        rows: {reshape: {shape: [8, 8]}}
        part: {slice: {axis: 3, stop: 2}}  # <- told
        mean: global_avg_pool
        logits: {dense: {features: 10}}
        """,
        key="network.layers.part",
        found="'slice' cannot take float32[1, 8, 8] from network.layers.rows (reshape)",
        expected="an axis besides the batch, which 3 is not",
        fix="use one of 1 to 2, or -1",
    ),
    Broken(
        "position out of range",
        """
      layers:
        rows: {reshape: {shape: [8, 8]}}
        part: {select: {index: 8}}  # <- told
        logits: {dense: {features: 10}}
        """,
        key="network.layers.part",
        found="'select' cannot take float32[1, 8, 8] from network.layers.rows (reshape): size 8 of axis 1",
        expected="a position that it has, which 8 is not",
        fix="use one of 0 to 7",
    ),
    Broken(
        "split that does not divide",
        """
      layers:
        flat: flatten
        parts: {split: {parts: 3}}  # <- told
        join: {add: {}, from: [parts.0, parts.1]}
        logits: {dense: {features: 10}}
        """,
        key="network.layers.parts",
        found="'split' cannot take float32[1, 64] from network.layers.flat (flatten): size 64 of axis -1",
        expected="3 equal parts must divide it",
        fix="give sizes instead",
    ),
    Broken(
        "embedding of real numbers",
        """
      layers:
        flat: flatten
        vectors: {embed: {vocabulary: 16, features: 8}}  # <- told
        mean: global_avg_pool
        logits: {dense: {features: 10}}
        """,
        key="network.layers.vectors",
        found="'embed' cannot take float32[1, 64] from network.layers.flat (flatten)",
        expected="an embedding needs integers in [0, 16), such as batch.tokens",
        fix="use dense for real numbers",
    ),
    Broken(
        "recurrence over vectors",
        """
      layers:
        flat: flatten
        read: {lstm: {features: 8}}  # <- told
        logits: {dense: {features: 10}}
        """,
        key="network.layers.read",
        found="'lstm' cannot take float32[1, 64] from network.layers.flat (flatten)",
        expected="a recurrent layer needs [batch, time, features]",
        fix="put an embed before it for tokens, or a reshape, e.g. {reshape: {shape: [-1, 1]}}",
    ),
    Broken(
        "attention mask of another length",
        """
      layers:
        rows: {reshape: {shape: [8, 8]}}
        mask: {expr: "x[:, :5, 0] > 0", from: rows}
        look: {attention: {heads: 2}, from: {x: rows, mask: mask}}  # <- told
        mean: global_avg_pool
        logits: {dense: {features: 10}}
        """,
        key="network.layers.look",
        found=(
            "'attention' cannot take float32[1, 8, 8] from network.layers.rows (reshape) and bool[1, 5] "
            "from network.layers.mask (expr)"
        ),
        expected="a mask is [batch, 8], [batch, 8, 8] or [batch, 2, 8, 8]",
        fix="reshape it",
    ),
    Broken(
        "kernel of three sizes for a picture",
        """
      layers:
        conv: {conv: {features: 8, kernel: [3, 3, 3]}}  # <- told
        pool: global_avg_pool
        logits: {dense: {features: 10}}
        """,
        key="network.layers.conv",
        found="'conv' cannot take float32[1, 8, 8, 1] from the input 'input': kernel [3, 3, 3]",
        expected="kernel of an input with 2 space dimensions is one integer or a list of 2",
        fix="network.layers.conv.conv.kernel=3",
    ),
    Broken(
        "expression of different sizes",
        """
      layers:
        rows: {reshape: {shape: [8, 8]}}
        fc: {dense: {features: 3}}
        act: {expr: "rows + fc", from: [rows, fc]}  # <- told
        pool: global_avg_pool
        logits: {dense: {features: 10}}
        """,
        key="network.layers.act",
        found=(
            "'expr' cannot take float32[1, 8, 8] from network.layers.rows (reshape) and float32[1, 8, "
            "3] from network.layers.fc (dense)"
        ),
        expected="arrays that 'rows + fc' can be computed of; add got incompatible shapes for broa",
        fix="change what network.layers.act.from reads, or put a layer between that makes it fit",
    ),
    Broken(
        "branches of training and evaluation that differ",
        """
      layers:
        flat: flatten
        fc: {cond: {train: {dense: {features: 8}}}}  # <- told
        logits: {dense: {features: 10}}
        """,
        key="network.layers.fc.cond",
        found="the branches differ: float32[1, 8] in training and float32[1, 64] otherwise",
        expected="branches that give one shape and dtype",
        fix="change network.layers.fc.cond.eval, or put a layer into it that makes it fit",
    ),
    Broken(
        "bidirectional over vectors",
        """
      layers:
        flat: flatten
        both: {bidirectional: {layers: {gru: {gru: {features: 4}}}}}  # <- told
        logits: {dense: {features: 10}}
        """,
        key="network.layers.both.bidirectional.layers.gru",
        found="'gru' cannot take float32[1, 64] from network.layers.flat (flatten) (node both.forward.gru)",
        expected="a recurrent layer needs [batch, time, features]",
        fix="put an embed before it for tokens, or a reshape, e.g. {reshape: {shape: [-1, 1]}}",
    ),
    Broken(
        "top_k larger than the experts",
        """
      layers:
        rows: {reshape: {shape: [8, 8]}}
        think: {mixture_of_experts: {experts: 4, top_k: 6, hidden: 8}}  # <- told
        pool: global_avg_pool
        logits: {dense: {features: 10}}
        """,
        key="network.layers.think",
        found="'mixture_of_experts' cannot take float32[1, 8, 8] from network.layers.rows (reshape): top_k 6",
        expected="only 4 experts can be chosen",
        fix="network.layers.think.mixture_of_experts.top_k=4",
    ),
    Broken(
        "unembed of another width",
        """
      inputs: {label: batch.label}
      layers:
        vectors: {embed: {vocabulary: 10, features: 8}}
        wide: {dense: {features: 12}}
        logits: {unembed: {}, share: vectors}  # <- told
        """,
        key="network.layers.logits",
        found=(
            "'unembed' cannot take float32[1, 12] from network.layers.wide (dense) and float32[10, 8] "
            "from 'embedding' of vectors"
        ),
        expected="unembed needs [batch, ..., 8]",
        fix="put {dense: {features: 8}} before it",
    ),
    Broken(
        "split part that is not there",
        """
      layers:
        flat: flatten
        parts: {split: {parts: 2}}
        logits: {dense: {features: 10}, from: parts.2}  # <- told
        """,
        key="network.layers.logits.from",
        found="'parts' gives 2 arrays (float32[1, 32], float32[1, 32]), and none of them is '2'",
        expected="one of parts.0, parts.1",
        fix="network.layers.logits.from=parts.1",
    ),
    Broken(
        "input that the data lacks",
        """
      inputs: {picture: batch.picture}  # <- told
      layers:
        flat: flatten
        logits: {dense: {features: 10}}
        """,
        key="network.inputs.picture",
        found="nothing is called 'batch.picture'",
        expected="batch.image, batch.label",
        fix="network.inputs.picture=batch.image",
    ),
    Broken(
        "more positions than were declared",
        """
      layers:
        rows: {reshape: {shape: [16, 4]}}
        where: {positional_embedding: {max_length: 8}}  # <- told
        pool: global_avg_pool
        logits: {dense: {features: 10}}
        """,
        key="network.layers.where",
        found=("'positional_embedding' cannot take float32[1, 16, 4] from network.layers.rows (reshape): 16 positions"),
        expected="max_length is 8",
        fix="network.layers.where.positional_embedding.max_length=16, or more",
    ),
    Broken(
        "normalisation groups that do not divide",
        """
      layers:
        conv: {conv: {features: 6, kernel: 3}}
        norm: {group_norm: {groups: 4}}  # <- told
        pool: global_avg_pool
        logits: {dense: {features: 10}}
        """,
        key="network.layers.norm",
        found="'group_norm' cannot take float32[1, 8, 8, 6] from network.layers.conv (conv): 6 channels",
        expected="4 groups must divide them",
        fix="network.layers.norm.group_norm.groups=3",
    ),
    Broken(
        "patches that do not divide",
        """
      layers:
        conv: {patchify: {patch: 3}}  # <- told
        pool: global_avg_pool
        logits: {dense: {features: 10}}
        """,
        key="network.layers.conv",
        found="'patchify' cannot take float32[1, 8, 8, 1] from the input 'input'",
        expected="a patch of [3, 3] must divide it",
        fix="put a pad or a crop before it, or set patch to a divisor",
    ),
    Broken(
        "shared block of another shape",
        """
      layers:
        flat: flatten
        one: {unit: {}}
        two: {unit: {}, share: one}
        logits: {dense: {features: 10}}
      blocks:
        unit:
          layers:
            fc: {dense: {features: 32}}  # <- told
            act: relu
        """,
        key="network.blocks.unit.layers.fc",
        found=(
            "'fc' shares its weights and is given float32[1, 32] from network.layers.one (unit) (node "
            "two.fc), for which its kernel must be [32, 32]; that of the node that makes these weights "
            "is [64, 32]"
        ),
        expected="an input with as many features as the node that makes these weights is given",
        fix="change what the node that shares is given, or take `share` off it",
    ),
    Broken(
        "mistake in a repeated block",
        """
      layers:
        flat: flatten
        tower: {unit: {width: 32}, repeat: 3}
        logits: {dense: {features: 10}}
      blocks:
        unit:
          args: {width: "???"}
          layers:
            fc: {dense: {features: "=width"}}
            out: {add: {}, from: [fc, input]}  # <- told
        """,
        key="network.blocks.unit.layers.out",
        found=(
            "'add' cannot take float32[1, 32] from network.blocks.unit.layers.fc (dense) and float32[1, "
            "64] from network.layers.flat (flatten) (node tower.out)"
        ),
        expected="arrays that are combined need one rank and sizes that are equal or 1",
        fix="put a dense, conv or reshape before one of them",
    ),
    Broken(
        "stack of different sizes",
        """
      layers:
        flat: flatten
        small: {dense: {features: 8}}
        pick: {stack: {}, from: [flat, small]}  # <- told
        f: flatten
        logits: {dense: {features: 10}}
        """,
        key="network.layers.pick",
        found=(
            "'stack' cannot take float32[1, 64] from network.layers.flat (flatten) and float32[1, 8] "
            "from network.layers.small (dense)"
        ),
        expected="arrays that are stacked need one shape",
        fix="make them equal, or use concat",
    ),
    Broken(
        "cross attention to nothing",
        """
      layers:
        rows: {reshape: {shape: [8, 8]}}
        b: {transformer_block: {heads: 4, cross: true}}  # <- told
        pool: global_avg_pool
        logits: {dense: {features: 10}}
        """,
        key="network.layers.b",
        found="'transformer_block' cannot take float32[1, 8, 8] from network.layers.rows (reshape): no memory",
        expected="a block with cross: true attends to one",
        fix="wire memory, or set cross=false",
    ),
    Broken(
        "steps of vectors",
        """
      layers:
        flat: flatten
        steps: {time_distributed: {layers: {fc: {dense: {features: 8}}}}}  # <- told
        logits: {dense: {features: 10}}
        """,
        key="network.layers.steps.time_distributed.layers.fc",
        found="'dense' cannot take float32[64] from network.layers.flat (flatten) (node steps.fc)",
        expected="a dense layer maps the last axis of [batch, ..., inputs]",
        fix="put a reshape before it, e.g. {reshape: {shape: [1]}}",
    ),
    Broken(
        "members along an axis that is not there",
        """
      layers:
        flat: flatten
        several: {ensemble: {members: 2, merge: stack, axis: 4, layers: {fc: {dense: {features: 10}}}}}  # <- told
        mean: global_avg_pool
        logits: {dense: {features: 10}}
        """,
        key="network.layers.several",
        found="'ensemble' cannot take float32[1, 64] from network.layers.flat (flatten): axis 4",
        expected="members that give rank 2 lie along an axis 1 to 2",
        fix="network.layers.several.ensemble.axis=1",
    ),
    Broken(
        "kernel larger than the input of a block",
        """
      layers:
        body: {unit: {kernel: 9}}
        pool: global_avg_pool
        logits: {dense: {features: 10}}
      blocks:
        unit:
          args: {kernel: 3}
          layers:
            conv: {conv: {features: 4, kernel: "=kernel", padding: valid}}  # <- told
        """,
        key="network.blocks.unit.layers.conv",
        found="'conv' cannot take float32[1, 8, 8, 1] from the input 'input' (node body.conv)",
        expected="a kernel that reaches over [9, 9] needs an input of at least that size",
        fix="network.blocks.unit.layers.conv.conv.padding=same, or take a smaller size",
    ),
    Broken(
        "fewer logits than the data has classes",
        """
      layers:
        flat: flatten
        logits: {dense: {features: 5}}  # <- told
        """,
        key="network.layers.logits.dense.features",
        found="outputs.logits has 5 logits, but the data has 10 classes",
        expected="10 logits: losses.cross_entropy reads batch.label, numbers from 0 to 9",
        fix="network.layers.logits.dense.features=10",
    ),
    Broken(
        "fewer logits by an argument, behind layers that keep their number",
        """
      args: {classes: 3}
      layers:
        maps: {conv: {features: "=classes", kernel: 3}}  # <- told
        act: relu
        logits: global_avg_pool
        """,
        key="network.layers.maps.conv.features",
        found="outputs.logits has 3 logits, but the data has 10 classes",
        expected="10 logits: losses.cross_entropy reads batch.label, numbers from 0 to 9",
        fix="network.args.classes=10",
    ),
    Broken(
        "fewer logits out of a block",
        """
      layers:
        logits: head  # <- told
      outputs: {logits: logits}
      blocks:
        head:
          layers:
            flat: flatten
            give: {dense: {features: 5}}
        """,
        key="network.layers.logits",
        found="outputs.logits has 5 logits, but the data has 10 classes",
        expected="10 logits: losses.cross_entropy reads batch.label, numbers from 0 to 9",
        fix="10 features in the last layer of network.layers.logits",
    ),
]
