"""What other libraries call the things of this one, so that a word from there is answered with the word here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

_LAYERS = {
    "linear": "dense",
    "fc": "dense",
    "fullyconnected": "dense",
    "fully_connected": "dense",
    "embedding": "embed",
    "conv1d": "conv",
    "conv2d": "conv",
    "conv3d": "conv",
    "convtranspose2d": "transposed_conv",
    "conv2dtranspose": "transposed_conv",
    "maxpool": "max_pool",
    "maxpool2d": "max_pool",
    "maxpooling2d": "max_pool",
    "avgpool": "avg_pool",
    "averagepooling2d": "avg_pool",
    "adaptiveavgpool2d": "adaptive_avg_pool",
    "globalaveragepooling2d": "global_avg_pool",
    "globalmaxpooling2d": "global_max_pool",
    "batchnormalization": "batch_norm",
    "layernormalization": "layer_norm",
    "multiheadattention": "attention",
    "multi_head_attention": "attention",
    "self_attention": "attention",
    "upsample": "resize",
    "upsampling2d": "resize",
    "concatenate": "concat",
    "cat": "concat",
    "permute": "transpose",
    "view": "reshape",
    "spatialdropout2d": "spatial_dropout",
    "dropout2d": "spatial_dropout",
    "droppath": "stochastic_depth",
    "drop_path": "stochastic_depth",
    "zeropadding2d": "pad",
    "randomflip": "random_flip",
    "randomhorizontalflip": "random_flip",
    "randomverticalflip": "random_flip",
    "randomcrop": "random_crop",
    "randomresizedcrop": "random_resized_crop",
    "randomaffine": "random_affine",
    "randomshear": "random_affine",
    "randomrotation": "random_rotation",
    "randomzoom": "random_zoom",
    "randomtranslation": "random_translation",
    "random_translate": "random_translation",
    "randombrightness": "random_brightness",
    "randomcontrast": "random_contrast",
    "randomsaturation": "random_saturation",
    "color_jitter": "random_contrast",
    "colorjitter": "random_contrast",
    "randomerasing": "random_erasing",
    "cutout": "random_erasing",
}
_ARGUMENTS = {
    "units": "features",
    "filters": "features",
    "out_features": "features",
    "out_channels": "features",
    "hidden_size": "features",
    "channels": "features",
    "kernel_size": "kernel",
    "filter_size": "kernel",
    "pool_size": "window",
    "stride": "strides",
    "bias": "use_bias",
    "p": "rate",
    "prob": "rate",
    "num_heads": "heads",
    "num_embeddings": "vocabulary",
    "input_dim": "vocabulary",
    "embedding_dim": "features",
    "output_dim": "features",
}
_SETTINGS = {
    "lr": "learning_rate",
    "init_lr": "learning_rate",
    "wd": "weight_decay",
    "beta1": "b1",
    "beta_1": "b1",
    "beta2": "b2",
    "beta_2": "b2",
    "epsilon": "eps",
    "bs": "batch_size",
    "batchsize": "batch_size",
    "num_epochs": "epochs",
    "max_epochs": "epochs",
    "n_epochs": "epochs",
    "max_steps": "steps",
    "num_steps": "steps",
    "clipnorm": "clip_norm",
    "grad_clip": "clip_norm",
    "gradient_clip": "clip_norm",
    "gradient_clip_val": "clip_norm",
    "max_grad_norm": "clip_norm",
    "clipvalue": "clip_value",
    "accumulate_grad_batches": "accumulate_steps",
    "gradient_accumulation_steps": "accumulate_steps",
    "scheduler": "schedule",
    "lr_scheduler": "schedule",
    "early_stopping": "early_stop",
    "random_seed": "seed",
    "random_state": "seed",
    "save_top_k": "keep",
    "max_to_keep": "keep",
    "val_check_interval": "validate_every_steps",
    "log_every_n_steps": "log_every_steps",
    "label_smoothing": "smoothing",
    "class_weight": "class_weights",
    "pos_weight": "positive_weight",
    "num_workers": "workers",
    "num_classes": "classes",
    "val_split": "valid",
    "validation_split": "valid",
    "model": "network",
    "arch": "network",
    "dataset": "data",
    "loss": "losses",
    "criterion": "losses",
    "output_dir": "dir",
    "logdir": "dir",
    "log_dir": "dir",
    "gpus": "devices",
    "num_gpus": "devices",
    "strategy": "parallel",
    "mixed_precision": "precision",
    "half_precision": "precision",
    "amp": "precision",
    "autocast": "precision",
    "fp16": "precision",
    "bf16": "precision",
    "dtype": "precision",
    "dtype_policy": "precision",
    "compute_dtype": "precision",
    "float32_matmul_precision": "matmul_precision",
    "default_matmul_precision": "matmul_precision",
    "allow_tf32": "matmul_precision",
}
_VALUES = {
    "precision": {
        "32": "float32",
        "32-true": "float32",
        "fp32": "float32",
        "64": "float32",
        "64-true": "float32",
        "float64": "float32",
        "double": "float32",
        "single": "float32",
        "full": "float32",
        "bf16": "bfloat16",
        "bf16-mixed": "bfloat16",
        "bf16-true": "bfloat16",
        "mixed_bfloat16": "bfloat16",
        "mixed": "bfloat16",
        "half": "bfloat16",
        "16": "bfloat16",
        "16-mixed": "bfloat16",
        "16-true": "bfloat16",
        "fp16": "bfloat16",
        "float16": "bfloat16",
        "mixed_float16": "bfloat16",
        "true": "bfloat16",
        "false": "null",
        "none": "null",
        "no": "null",
    },
    "matmul_precision": {
        "medium": "bfloat16",
        "bf16": "bfloat16",
        "high": "tensorfloat32",
        "tf32": "tensorfloat32",
        "highest": "float32",
        "fp32": "float32",
        "auto": "fast",
    },
}
_VERBS = {
    "new": "init",
    "create": "init",
    "startproject": "init",
    "fit": "train",
    "resume": "train",
    "test": "evaluate",
    "eval": "evaluate",
    "validate": "check",
    "lint": "check",
    "infer": "predict",
    "inference": "predict",
    "tune": "sweep",
    "search": "sweep",
    "hpo": "sweep",
    "optimize": "sweep",
    "export": "eject",
    "plot": "graph",
    "draw": "graph",
    "ls": "list",
    "docs": "list",
    "describe": "explain",
    "why": "explain",
    "diff": "compare",
    "config": "show",
    "cat": "show",
    "env": "doctor",
    "info": "doctor",
}


def familiar_layer(word: str, known: Iterable[str]) -> str | None:
    """The operation out of `known` that Keras, PyTorch or Flax call `word`; None where there is none."""
    return _LAYERS.get(_plain(word)) if _LAYERS.get(_plain(word)) in set(known) else None


def familiar_argument(word: str, known: Iterable[str]) -> str | None:
    """The argument out of `known` that layers of other libraries call `word`; None where there is none."""
    return _ARGUMENTS.get(word) if _ARGUMENTS.get(word) in set(known) else None


def familiar_setting(word: str, known: Iterable[str]) -> str | None:
    """The setting out of `known` that other libraries call `word`; None where there is none."""
    return _SETTINGS.get(word) if _SETTINGS.get(word) in set(known) else None


def familiar_value(setting: str, value: Any) -> str | None:
    """The value of a setting that other libraries write as `value`; None where there is none."""
    return _VALUES.get(setting.rpartition(".")[2], {}).get(str(value).lower())


def familiar_verb(word: str, known: Iterable[str]) -> str | None:
    """The verb out of `known` that other commands call `word`; None where there is none."""
    return _VERBS.get(word) if _VERBS.get(word) in set(known) else None


def _plain(word: str) -> str:
    """`nn.Linear` and `linear` are one word."""
    return re.sub(r"^.*\.", "", word).lower()
