"""Networks for sequences, tables and recommendations: what `architecture_cases` holds for pictures."""

from __future__ import annotations

from architecture_cases import Published, Shape, Small

TOKENS: dict[str, Shape] = {"input": (1, 16)}
PAIR: dict[str, Shape] = {"tokens": (1, 16), "segments": (1, 16), "real": (1, 16)}
REAL_NUMBERS = {"features"}  # all other inputs here are whole numbers
CRITEO = [
    *[1460, 583, 10_131_227, 2_202_608, 305, 24, 12_517, 633, 3, 93_145, 5683, 8_351_593, 3194, 27, 14_992],
    *[5_461_306, 10, 5652, 2173, 4, 7_046_547, 18, 15, 286_181, 105, 142_572],
]
ADULT = [9, 16, 7, 15, 6, 5, 2, 42]
GPT2 = {"vocabulary": 50_257, "context": 1024}
SEVEN_B = {"vocabulary": 32_000, "width": 4096, "depth": 32, "kv_heads": 32, "hidden": 11_008}
EIGHT_B = {"vocabulary": 128_256, "width": 4096, "depth": 32, "kv_heads": 8, "hidden": 14_336, "rotary_base": 500_000}

PUBLISHED = [
    Published("gpt2", 124_439_808, TOKENS, GPT2),
    Published("gpt2", 354_823_168, TOKENS, {**GPT2, "width": 1024, "depth": 24, "heads": 16}),
    Published("gpt2", 774_030_080, TOKENS, {**GPT2, "width": 1280, "depth": 36, "heads": 20}),
    Published("gpt2", 1_557_611_200, TOKENS, {**GPT2, "width": 1600, "depth": 48, "heads": 25}),
    Published("bert", 109_482_240, PAIR, {}),
    Published("bert", 335_141_888, PAIR, {"width": 1024, "depth": 24, "heads": 16}),
    Published("bert_classifier", 109_483_778, PAIR, {"classes": 2}),
    Published("llama", 1_100_048_384, TOKENS, {"vocabulary": 32_000}),
    Published("llama", 6_738_415_616, TOKENS, SEVEN_B),
    Published("llama", 8_030_261_248, TOKENS, EIGHT_B),
    Published("moe_transformer", 46_702_792_704, TOKENS, {"vocabulary": 32_000}),
    Published("lstm_classifier", 2_757_761, TOKENS, {"vocabulary": 20_000, "classes": 1}),
    Published("dlrm", 540_677_217, {"features": (1, 13), "categories": (1, 26)}, {"sizes": CRITEO}),
]


def _affine(inputs: int, outputs: int) -> int:
    return (inputs + 1) * outputs


def _gru(inputs: int, width: int) -> int:
    return 3 * width * (inputs + width + 2)


def _lstm(inputs: int, width: int) -> int:
    return 4 * width * (inputs + width + 1)


def _wavenet(levels: int, residual: int, dilated: int, skip: int, layers: int) -> int:
    layer = _affine(2 * residual, 2 * dilated) + _affine(dilated, residual + skip)
    return 2 * levels * residual + layers * layer + _affine(skip, skip) + _affine(skip, levels)


def _tab_transformer(sizes: list[int], numbers: int, classes: int, width: int, column: int) -> int:
    block = 2 * 2 * width + 4 * _affine(width, width) + _affine(width, 4 * width) + _affine(4 * width, width)
    row = len(sizes) * width + numbers
    perceptron = _affine(row, 4 * row) + _affine(4 * row, 2 * row) + _affine(2 * row, classes)
    return sum(sizes) * (width - column) + len(sizes) * column + 6 * block + 2 * numbers + perceptron


# Nobody has published a count of these sizes; it follows from the layers.
COUNTED = [
    Published(
        "gru_classifier",
        20_000 * 128 + 2 * 2 * _gru(128, 64) + _affine(128, 1),
        TOKENS,
        {"vocabulary": 20_000, "classes": 1},
    ),
    Published(
        "two_tower",
        130_000 * 128 + 2 * (_affine(128, 256) + _affine(256, 128)),
        {"user": (1,), "item": (1,)},
        {"users": 100_000, "items": 30_000},
    ),
    Published("wavenet", _wavenet(256, 32, 32, 512, 5 * 10), TOKENS, {}),
    Published(
        "tab_transformer",
        _tab_transformer(ADULT, 5, 2, 32, 4),
        {"categories": (1, 8), "features": (1, 5)},
        {"sizes": ADULT, "numbers": 5, "classes": 2},
    ),
]
# What other arguments count, which no header tells.
OTHERS = [
    Published(
        "lstm_classifier",
        50 * 8 + _lstm(8, 4) + 2 * _lstm(4, 4) + _affine(4, 3),
        TOKENS,
        {"vocabulary": 50, "classes": 3, "embedding": 8, "width": 4, "depth": 3, "bidirectional": False},
    ),
    Published("wavenet", _wavenet(8, 4, 3, 5, 2 * 4), TOKENS, {
        "levels": 8, "residual": 4, "dilated": 3, "skip": 5, "stacks": 2, "layers": 4
    }),
]  # fmt: skip

LANGUAGE = ("losses=tokens", "network.args.vocabulary=7")
TEXT: dict[str, Shape] = {"tokens": (6,), "targets": (6,)}
SENTENCE: dict[str, Shape] = {"tokens": (6,), "label": ()}
CLASSES = ("losses=classification", "data.classes=2")
BINARY = ("losses=binary", "data.classes=2")
BALANCE = "+losses.balance={type: expr, expression: cost, inputs: {cost: costs.balance}, weight: 0.01}"

SMALL = [
    Small("lstm_classifier", {"vocabulary": 7, "embedding": 6, "width": 3, "padding": 0}, CLASSES, SENTENCE),
    Small("gru_classifier", {"vocabulary": 7, "width": 3, "depth": 1, "bidirectional": "false"}, CLASSES, SENTENCE),
    Small(
        "moe_transformer",
        {"width": 8, "depth": 2, "heads": 2, "kv_heads": 1, "hidden": 12, "experts": 4, "capacity_factor": 1.25},
        (*LANGUAGE, BALANCE),
        TEXT,
    ),
    Small(
        "bert_classifier",
        {"vocabulary": 7, "context": 6, "width": 8, "depth": 2, "heads": 2},
        CLASSES,
        {"tokens": (6,), "segments": (6,), "real": (6,), "label": ()},
    ),
    Small(
        "dlrm",
        {"sizes": [3, 5], "width": 4, "bottom": [4, 4, 4], "top": [4, 4]},
        BINARY,
        {"features": (3,), "categories": (2,), "label": ()},
    ),
    Small(
        "two_tower",
        {"users": 5, "items": 4, "embedding": 4, "hidden": 6, "width": 3},
        BINARY,
        {"user": (), "item": (), "label": ()},
    ),
    Small(
        "wavenet",
        {"levels": 7, "residual": 4, "dilated": 3, "skip": 5, "stacks": 2, "layers": 2},
        ("losses=tokens",),
        TEXT,
    ),
    Small(
        "tab_transformer",
        {"sizes": [3, 5], "numbers": 3, "width": 8, "depth": 2, "heads": 2},
        CLASSES,
        {"categories": (2,), "features": (3,), "label": ()},
    ),
]
