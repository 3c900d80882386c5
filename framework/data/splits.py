"""Who sees which example: the rules that share examples out among train, valid and test."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from framework.core.errors import DataError, Problem
from framework.data.protocol import Collection
from framework.data.streams import LIMIT, SPLIT, permutation

NAMES = ("train", "valid", "test")
_CHUNK = 1024


@dataclass(frozen=True)
class Shares:
    """The parts of all examples that each split gets; `train` is None for all that the others leave."""

    train: float | None
    valid: float
    test: float

    def counts(self, total: int) -> dict[str, int]:
        """Examples of each split out of `total`, rounded to the nearest (halves up)."""
        valid, test = (int(np.floor(share * total + 0.5)) for share in (self.valid, self.test))
        rest = max(0, total - valid - test)
        train = rest if self.train is None else min(rest, int(np.floor(self.train * total + 0.5)))
        return {"train": train, "valid": valid, "test": test}

    def asked(self) -> tuple[str, ...]:
        """The splits that get a share."""
        return tuple(name for name in NAMES if name == "train" or getattr(self, name) > 0)


def split_names(split: Any, own: tuple[str, ...], *, labelled: bool, ordered: bool) -> tuple[str, ...]:
    """The splits there will be.

    Args:
      split: the section `data.split`: `type` and the shares `train`, `valid` and `test`.
      own: the splits that the source itself names.
      labelled: whether examples have a class.
      ordered: whether examples overlap their neighbours, as windows of text do.

    Raises:
      DataError: the source lacks what the rule needs: labels, or splits of its own.
    """
    usual = "contiguous" if ordered else "stratified" if labelled else "fraction"
    if split.type == "named" and not own:
        raise _unfit("named, but the data has no splits of its own", usual)
    if split.type == "stratified" and not labelled:
        raise _unfit("stratified, but the data has no class labels", usual)
    named = own if split.type in ("auto", "named") else ()
    if named and "train" not in named:
        raise _unfit(f"{split.type}, but of train, valid and test the data names {', '.join(named)}", usual)
    asked = Shares(split.train, split.valid, split.test).asked()
    return tuple(name for name in NAMES if name in named or name in asked)


def _unfit(found: str, instead: str) -> DataError:
    return DataError(
        Problem("data.split.type", found, f"a rule that fits, such as {instead}", fix=f"data.split.type={instead}")
    )


def share_out(collection: Collection, split: Any, seed: int) -> dict[str, np.ndarray]:
    """Split name -> example numbers: disjoint, each of them not empty.

    Args:
      split: the section `data.split`.
      seed: of the shuffle.

    Raises:
      DataError: a split would be empty, or as `split_names`.
    """
    own = collection.own if split.type in ("auto", "named") else None
    labelled, ordered = collection.labels is not None, collection.extents is not None
    wanted = split_names(split, tuple(collection.own or ()), labelled=labelled, ordered=ordered)
    shares = Shares(split.train, split.valid, split.test)
    kind = split.type
    if own is not None:
        kind = "auto"
        shares = Shares(shares.train, *(0.0 if name in own else getattr(shares, name) for name in ("valid", "test")))
    pool = np.arange(len(collection)) if own is None else own["train"]
    result = _cut(collection, _usual(collection) if kind == "auto" else kind, pool, shares, seed)
    if own is not None:
        result |= {name: indices for name, indices in own.items() if name != "train"}
    result = {name: result[name] for name in wanted}
    _refuse_empty(result, split, own)
    return result


def _usual(collection: Collection) -> str:
    if collection.extents is not None:
        return "contiguous"
    return "fraction" if collection.labels is None else "stratified"


def _cut(collection: Collection, kind: str, pool: np.ndarray, shares: Shares, seed: int) -> dict[str, np.ndarray]:
    if kind == "contiguous":
        return _contiguous(collection, pool, shares)
    if kind == "hash":
        return _hashed(collection, pool, shares, seed)
    if kind == "stratified":
        return _stratified(collection, pool, shares, seed)
    order = pool[permutation(len(pool), seed, SPLIT)]
    counts = shares.counts(len(pool))
    ends = np.cumsum([counts["test"], counts["valid"], counts["train"]])
    test, valid, train, _ = np.split(order, ends)
    return {"train": train, "valid": valid, "test": test}


def _stratified(collection: Collection, pool: np.ndarray, shares: Shares, seed: int) -> dict[str, np.ndarray]:
    """Each class is shared out alike, within one example of its exact share, and the totals are those of `fraction`."""
    order = pool[permutation(len(pool), seed, SPLIT)]
    labels = np.asarray(collection.labels)[order]
    rows = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    left = np.array([len(members) for members in rows])
    totals = shares.counts(len(pool))
    taken = np.zeros_like(left)
    result = {}
    for name, share in (("test", shares.test), ("valid", shares.valid), ("train", shares.train)):
        quota = left - taken if share is None else _quotas(share * left, totals[name], left - taken)
        chosen = [members[start : start + count] for members, start, count in zip(rows, taken, quota, strict=True)]
        # Back into the shuffled order, so that the first few examples hold all classes.
        result[name] = order[np.sort(np.concatenate(chosen))] if chosen else order[:0]
        taken = taken + quota
    return result


def _quotas(exact: np.ndarray, total: int, left: np.ndarray) -> np.ndarray:
    """Whole numbers near `exact` that add up to `total` (the largest remainder method), none above `left`."""
    quota = np.minimum(np.floor(exact + 1e-9).astype(np.int64), left)
    remainder = np.where(quota < left, exact - quota, -1.0)
    for index in np.argsort(-remainder, kind="stable")[: max(0, total - int(quota.sum()))]:
        quota[index] += remainder[index] > 0
    return quota


def _hashed(collection: Collection, pool: np.ndarray, shares: Shares, seed: int) -> dict[str, np.ndarray]:
    identities = collection.identities() if collection.identities else _contents(collection)
    key = int(seed).to_bytes(8, "little")
    place = np.array(
        [int.from_bytes(hashlib.blake2b(identities[row], digest_size=8, key=key).digest(), "little") for row in pool],
        np.uint64,
    )
    where = place * 2.0**-64
    test, valid = shares.test, shares.test + shares.valid
    stop = 1.0 if shares.train is None else valid + shares.train
    return {
        "train": pool[(where >= valid) & (where < stop)],
        "valid": pool[(where >= test) & (where < valid)],
        "test": pool[where < test],
    }


def _contents(collection: Collection) -> list[bytes]:
    found: list[bytes] = []
    for start in range(0, len(collection), _CHUNK):
        arrays = collection.take(np.arange(start, min(start + _CHUNK, len(collection))))
        columns = [arrays[name] for name in sorted(arrays)]
        found.extend(b"".join(column[row].tobytes() for column in columns) for row in range(len(columns[0])))
    return found


def _contiguous(collection: Collection, pool: np.ndarray, shares: Shares) -> dict[str, np.ndarray]:
    """Cut by position; an example that lies across a cut belongs to neither side."""
    extents = collection.extents[pool] if collection.extents is not None else np.stack([pool, pool + 1], axis=1)
    if len(pool) == 0:
        return dict.fromkeys(NAMES, pool)
    low = int(extents[:, 0].min())
    counts = shares.counts(int(extents[:, 1].max()) - low)
    result, start = {}, low
    for name in NAMES:
        stop = start + counts[name]
        result[name] = pool[(extents[:, 0] >= start) & (extents[:, 1] <= stop)]
        start = stop
    return result


def _refuse_empty(result: Mapping[str, np.ndarray], split: Any, own: Mapping[str, np.ndarray] | None) -> None:
    sizes = ", ".join(f"{name} {len(indices)}" for name, indices in result.items())
    problems = []
    for name, indices in result.items():
        if len(indices):
            continue
        if own and name in own:
            found, fix = f"the data's own split {name} holds no example ({sizes})", f"examples for {name}, or no {name}"
        else:
            share = getattr(split, name)
            share = max(0.0, 1 - split.valid - split.test) if share is None else share
            total = sum(map(len, result.values()))
            found = f"the split {name} is empty: a share of {share:g} of about {total} examples ({sizes})"
            fix = "more examples" if name == "train" else f"a larger share, or data.split.{name}=0 for no {name} split"
        problems.append(Problem(f"data.split.{name}", found, "at least one example in every split", fix=fix))
    if problems:
        raise DataError(problems)


def limited(indices: np.ndarray, limit: int | None, seed: int, *, in_order: bool) -> np.ndarray:
    """At most `limit` of the examples: the first ones of data whose order means something, else drawn by `seed`."""
    if limit is None or len(indices) <= limit:
        return indices
    return indices[:limit] if in_order else indices[permutation(len(indices), seed, LIMIT)[:limit]]
