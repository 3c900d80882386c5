"""What other libraries call the losses, metrics, optimizers, schedules and sources of this one."""

from __future__ import annotations

import re
from collections.abc import Iterable

from framework.core.familiar import familiar_layer

# Letters and digits alone, in small letters: `nn.NLLLoss`, `nll_loss` and `NLLLoss` are one word.
_WORDS = {
    "losses": {
        "nll": "cross_entropy",
        "nllloss": "cross_entropy",
        "ce": "cross_entropy",
        "xent": "cross_entropy",
        "crossentropyloss": "cross_entropy",
        "softmaxcrossentropy": "cross_entropy",
        "softmaxcrossentropywithintegerlabels": "cross_entropy",
        "categoricalcrossentropy": "cross_entropy",
        "sparsecategoricalcrossentropy": "cross_entropy",
        "logloss": "cross_entropy",
        "bceloss": "bce",
        "bcewithlogits": "bce",
        "bcewithlogitsloss": "bce",
        "binarycrossentropy": "bce",
        "sigmoidbinarycrossentropy": "bce",
        "mseloss": "mse",
        "l2": "mse",
        "l2loss": "mse",
        "meansquarederror": "mse",
        "squarederror": "mse",
        "l1": "mae",
        "l1loss": "mae",
        "meanabsoluteerror": "mae",
        "smoothl1": "huber",
        "smoothl1loss": "huber",
        "huberloss": "huber",
        "custom": "expr",
        "lambda": "expr",
    },
    "metrics": {
        "acc": "accuracy",
        "categoricalaccuracy": "accuracy",
        "sparsecategoricalaccuracy": "accuracy",
        "binaryaccuracy": "accuracy",
        "multiclassaccuracy": "accuracy",
        "topkaccuracy": "top_k",
        "topkcategoricalaccuracy": "top_k",
        "top5": "top_k",
        "f1score": "f1",
        "fscore": "f1",
        "ppv": "precision",
        "sensitivity": "recall",
        "truepositiverate": "recall",
        "auc": "auroc",
        "roc": "auroc",
        "rocauc": "auroc",
        "rocaucscore": "auroc",
        "confusionmatrix": "confusion",
        "ppl": "perplexity",
        "l2": "mse",
        "meansquarederror": "mse",
        "rootmeansquarederror": "rmse",
        "l1": "mae",
        "meanabsoluteerror": "mae",
        "r2score": "r2",
        "rsquared": "r2",
        "custom": "expr",
    },
    "optimizers": {
        "momentum": "sgd",
        "nesterov": "sgd",
        "gradientdescent": "sgd",
        "adamweightdecay": "adamw",
    },
    "schedules": {
        "none": "constant",
        "cosineannealing": "cosine",
        "cosineannealinglr": "cosine",
        "cosinedecay": "cosine",
        "warmupcosine": "cosine",
        "warmupcosinedecayschedule": "cosine",
        "exponentiallr": "exponential",
        "exponentialdecay": "exponential",
        "steplr": "step",
        "multisteplr": "piecewise",
        "piecewiseconstant": "piecewise",
        "piecewiseconstantdecay": "piecewise",
        "linearlr": "linear",
        "polynomialdecay": "linear",
        "noam": "inverse_sqrt",
        "rsqrt": "inverse_sqrt",
    },
    "data": {
        "imagefolder": "images",
        "imagedatasetfromdirectory": "images",
        "dataframe": "arrays",
        "numpy": "npy",
        "tensordataset": "arrays",
        "memmap": "npy",
        "arrow": "parquet",
        "random": "synthetic",
        "fake": "synthetic",
        "fakedata": "synthetic",
        "txt": "text",
        "breastcancer": "breast_cancer",
    },
}


def familiar_component(kind: str, word: str, known: Iterable[str]) -> str | None:
    """The component out of `known` that other libraries call `word`; None where there is none.

    Args:
      kind: in the plural: `losses`, `metrics`, `optimizers`, `schedules`, `data` or `layers`.
    """
    words = list(known)
    if kind == "layers":
        return familiar_layer(word, words)
    bare = _bare(word)
    here = {_bare(name): name for name in words}
    found = here.get(bare) or _WORDS.get(kind, {}).get(bare)
    return found if found in words else None


def _bare(word: str) -> str:
    """Without the module before it and all that is neither letter nor digit."""
    return re.sub(r"[^a-z0-9]", "", word.rpartition(".")[2].lower())
