"""Why the model calls a pair the same or not: its evidence term by term, and which of it decides.

Belongs here: from (model, pattern, sources) to an explanation; pure, so every decision is replayed from what is stored.
Does not: the words (explain_words.py), records and clusters (explain_records.py), drawing (orchestration).
Surprise: `deciding` must hold twice. Struck from the sum it flips the decision; and so it does when the model is asked
again as if those facts had never been told, for the alternatives (namesakes, colleagues) then look different too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from transforms import calibration
from transforms.explain_words import of_level, of_term
from transforms.features import BITS, FEATURES, unpack
from transforms.model import MILLI, Model

DECIDED_MILLI = 10**12  # what somebody's decision weighs (sql/resolved/*_pair.sql)
PRIOR = "prior"
ALTERNATIVES = "alternatives"


@dataclass(frozen=True)
class Term:
    """One addend of the weight. `level` is empty where the term is no comparison of a field."""

    name: str
    level: str
    words: str
    milli: int

    @property
    def bits(self) -> float:
        return self.milli / MILLI


@dataclass(frozen=True)
class Explanation:
    """`terms` add up to `milli` exactly: the prior, then fields for and against, strongest first, then what else the
    model allows for. `decision` is what somebody said (the same: True), which outweighs all of it.

    `deciding` names the fewest terms without which the decision would be the other one; `milli_without` is the weight
    then. Both are empty where a person decided or where nothing that was said decides.
    """

    entity: str
    pattern: int
    terms: tuple[Term, ...]
    milli: int
    probability: float
    decision: bool | None
    deciding: tuple[str, ...]
    milli_without: int | None

    @property
    def is_same(self) -> bool:
        return self.milli > 0 if self.decision is None else self.decision

    @property
    def stored_milli(self) -> int:
        """What resolved.*_pair holds for this pair."""
        if self.decision is None:
            return self.milli
        return DECIDED_MILLI if self.decision else -DECIDED_MILLI


def explain(
    model: Model, pattern: int, source_low: str, source_high: str, *, decision: bool | None = None
) -> Explanation:
    """The evidence of a pair; `source_low` <= `source_high`."""
    milli = _terms(model, [pattern], source_low, source_high)
    levels = dict(zip(_features(model), unpack(np.asarray([pattern]), model.entity)[0].tolist(), strict=True))
    terms = [_term(model, name, int(figures[0]), levels) for name, figures in milli.items()]
    total = sum(term.milli for term in terms)
    deciding = deciding_terms(model, pattern, source_low, source_high) if decision is None else ()
    return Explanation(
        entity=model.entity,
        pattern=pattern,
        terms=_ordered(model, terms),
        milli=total,
        probability=round(float(calibration.probability(np.asarray(total / MILLI))), 6),
        decision=decision,
        deciding=deciding,
        milli_without=_without(model, pattern, source_low, source_high, [deciding])[0] if deciding else None,
    )


def deciding_terms(model: Model, pattern: int, source_low: str, source_high: str) -> tuple[str, ...]:
    """The fewest terms whose removal flips the decision, of equally few the strongest together; strongest first.

    Candidates are the terms that speak for the decision: sets of compared fields first, and only where no such set
    will do, sets that also hold the prior, the sources or what the model allows for. Empty where nothing does.
    """
    milli = {name: int(figures[0]) for name, figures in _terms(model, [pattern], source_low, source_high).items()}
    total = sum(milli.values())
    side = 1 if total > 0 else -1
    speaking = sorted((name for name in milli if milli[name] * side > 0), key=lambda name: -abs(milli[name]))
    fields = [name for name in speaking if name in _features(model)]
    for pool in (fields, speaking):
        for chosen in _by_size(pool):
            struck = [total - sum(milli[name] for name in names) for names in chosen]
            flipping = [names for names, rest in zip(chosen, struck, strict=True) if (rest > 0) != (total > 0)]
            asked = _without(model, pattern, source_low, source_high, flipping)
            flipping = [names for names, rest in zip(flipping, asked, strict=True) if (rest > 0) != (total > 0)]
            if flipping:
                return max(flipping, key=lambda names: sum(abs(milli[name]) for name in names))
    return ()


def _by_size(pool: list[str]) -> Iterator[list[tuple[str, ...]]]:
    return (list(combinations(pool, size)) for size in range(1, len(pool) + 1))


def _without(model: Model, pattern: int, low: str, high: str, removed: list[tuple[str, ...]]) -> list[int]:
    """The weight when the model is asked again without each set: fields missing, other terms left out."""
    if not removed:
        return []
    place = {name: index for index, name in enumerate(_features(model))}
    kept = [
        pattern & ~sum(((1 << BITS) - 1) << BITS * place[name] for name in names if name in place) for names in removed
    ]
    milli = _terms(model, kept, low, high)
    return [
        sum(int(figures[row]) for name, figures in milli.items() if name in place or name not in names)
        for row, names in enumerate(removed)
    ]


def _terms(model: Model, patterns: list[int], low: str, high: str) -> dict[str, np.ndarray]:
    return model.terms(np.asarray(patterns, dtype=np.int64), [low] * len(patterns), [high] * len(patterns))


def _features(model: Model) -> list[str]:
    return [feature.name for feature in FEATURES[model.entity]]


def _term(model: Model, name: str, milli: int, levels: dict[str, int]) -> Term:
    if name not in levels:
        kind = _likeliest_kind(model, levels) if name == ALTERNATIVES and milli else ""
        return Term(name, "", of_term(name, model.entity, kind=kind), milli)
    feature = next(feature for feature in FEATURES[model.entity] if feature.name == name)
    level = next((level.name for level in feature.levels if level.code == levels[name]), f"level {levels[name]}")
    return Term(name, level, of_level(name, level), milli)


def _likeliest_kind(model: Model, levels: dict[str, int]) -> str:
    """Of the kinds of different people or companies that the model knows, the one most likely to look like this."""
    milli = {
        kind.name: kind.prior_milli + sum(model.looks[look][levels[look.split(": ")[0]]] for look in kind.looks)
        for kind in model.kinds
    }
    return max(sorted(milli), key=lambda name: milli[name]) if milli else ""


def _ordered(model: Model, terms: list[Term]) -> tuple[Term, ...]:
    names = _features(model)
    fields = sorted((term for term in terms if term.name in names), key=lambda term: -term.milli)
    first = [term for term in terms if term.name == PRIOR]
    return (
        *first,
        *(term for term in fields if term.milli > 0),
        *(term for term in reversed(fields) if term.milli < 0),
        *(term for term in fields if term.milli == 0),
        *(term for term in terms if term.name not in names and term.name != PRIOR),
    )
