"""Our language models compute what those of the library transformers do with the same weights, forward and backward."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import language_rules
import yaml
from golden_cases import compare
from translation import reference

from framework.network import Network

FOLDER = Path(__file__).parents[2] / "configs" / "network"
LLAMA = {"vocabulary": 13, "width": 16, "depth": 2, "heads": 4, "kv_heads": 2, "hidden": 24}


def declared(name: str, **args: Any) -> dict[str, Any]:
    found = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    found["args"] |= args
    return found


def tokens(name: str) -> dict[str, Any]:
    return {"input": reference(name, ()).arrays["tokens"]}


def test_gpt2_computes_what_transformers_does() -> None:
    ours = Network(declared("gpt2", vocabulary=13, context=8, width=16, depth=2, heads=2))
    compare(ours, "gpt2", language_rules.gpt2(2), {}, image=False, others=tokens("gpt2"))


def test_bert_computes_what_transformers_does() -> None:
    """The features of the whole are compared as one position more."""
    told = declared("bert", vocabulary=13, context=8, width=16, depth=2, heads=2, hidden=32, dropout=0.0)
    told["layers"] |= {
        "whole": {"expand_dims": {"axis": 1}},
        "both": {"concat": {"axis": 1}, "from": ["stack", "whole"]},
    }
    told["outputs"] = {"both": "both"}
    arrays = reference("bert", ()).arrays
    others = {name: arrays[name] for name in ("tokens", "segments", "real")}
    rules, prepare = language_rules.bert(2), language_rules.BERT
    compare(Network(told), "bert", rules, {}, image=False, others=others, prepare=prepare)


def test_llama_computes_what_transformers_does() -> None:
    ours, rules, prepare = Network(declared("llama", **LLAMA)), language_rules.llama(4, 2), language_rules.LLAMA
    compare(ours, "llama", rules, {}, image=False, others=tokens("llama"), prepare=prepare)


def test_mixture_of_experts_computes_what_transformers_mixtral_does() -> None:
    ours = Network(declared("moe_transformer", **LLAMA, experts=4, rotary_base=10_000))
    rules, prepare = language_rules.mixtral(4, 2), language_rules.mixtral_parts
    given = tokens("moe_transformer")
    compare(ours, "moe_transformer", rules, {}, image=False, others=given, prepare=prepare)
