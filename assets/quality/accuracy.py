"""How right each source is, field by field, estimated from nothing but how often sources agree.

Belongs here: the model, its fit, its intervals. Does not: the counts (transforms/sql/quality/agreement.sql).
The model is Dawid and Skene's with one accuracy a source and a field ("Maximum likelihood estimation of observer
error-rates using the EM algorithm", 1979) and one chance that two wrong sources say the same wrong thing, because old
values are copied around. Intervals are of the Bayesian bootstrap (Rubin, 1981): the shares of all patterns, ones never
seen included, drawn from what their counts allow, and the model fitted to each draw.
Surprise: with two sources only their product can be known, so a field that fewer than three sources tell, or that they
seldom tell together, gets no estimate rather than a guess.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
import pyarrow as pa

from transforms.engines.port import Engine

SOURCES_MIN = 3
TOGETHER_MIN = 30  # golden records on which each two sources must both speak
DRAWS = 400
SEED = 20261125  # any fixed number
UNSEEN = 0.25  # golden records that each pattern, seen or not, is thought to have had before any was counted
STEPS_MAX = 400
CLOSE = 1e-6
# Before any count: nine right of ten, and wrong ones alike once in twenty; as heavy as two and one golden records.
PRIOR_RIGHT, PRIOR_WRONG, PRIOR_ALIKE, PRIOR_UNLIKE = 1.8, 0.2, 0.05, 0.95

ACCURACY_SCHEMA = pa.schema(
    [
        ("entity", pa.string()),
        ("field", pa.string()),
        ("source", pa.string()),
        ("golden_count", pa.int64()),
        ("accuracy", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
    ]
)
Pattern = tuple[tuple[str, ...], tuple[str, ...]]  # sources, and for each the first source that says the same


@dataclass(frozen=True)
class Estimate:
    """Share of a source's values that are right, with its 95 % interval; `golden_count` is what it was seen on."""

    source: str
    golden_count: int
    accuracy: float
    low: float
    high: float


def put(engine: Engine) -> None:
    """Make `quality.source_accuracy` from `quality.agreement`."""
    counts: dict[tuple[str, str], dict[Pattern, int]] = {}
    for row in engine.fetch("quality.agreement").to_pylist():
        pattern = (tuple(row["sources"].split(",")), tuple(row["pattern"].split(",")))
        counts.setdefault((row["entity"], row["field"]), {})[pattern] = row["golden_count"]
    rows = [
        {"entity": entity, "field": field, **vars(estimate)}
        for (entity, field), of_field in sorted(counts.items())
        for estimate in estimates(of_field)
    ]
    engine.put("quality.source_accuracy", pa.Table.from_pylist(rows, schema=ACCURACY_SCHEMA))


def estimates(counts: Mapping[Pattern, int], *, draws: int = DRAWS) -> list[Estimate]:
    """One estimate a source; none where the sources are too few or seldom speak together."""
    sources = sorted({source for told, _ in counts for source in told})
    if len(sources) < SOURCES_MIN or any(
        sum(n for (told, _), n in counts.items() if one in told and two in told) < TOGETHER_MIN
        for one, two in combinations(sources, 2)
    ):
        return []
    patterns = sorted({pattern for told, _ in counts for pattern in possible(told)} | counts.keys())
    seen = np.array([counts.get(pattern, 0) for pattern in patterns], dtype=np.float64)
    dice = np.random.Generator(np.random.PCG64(SEED))
    drawn = dice.dirichlet(seen + UNSEEN, size=draws) * seen.sum()
    accuracy = fit(sources, patterns, np.vstack([seen, drawn]))
    low, high = np.quantile(accuracy[1:], (0.025, 0.975), axis=0)
    spoken = [int(sum(n for (told, _), n in counts.items() if source in told)) for source in sources]
    # Where one error more or less would reach 1, it is not out of the question.
    high = np.where(high > 1 - 1 / np.array(spoken), 1.0, high)
    return [
        Estimate(source, spoken[at], *(round(float(x), 4) for x in (accuracy[0, at], low[at], high[at])))
        for at, source in enumerate(sources)
    ]


def possible(told: tuple[str, ...]) -> Iterator[Pattern]:
    """Every pattern that these sources can show."""
    for choice in product(*(range(at + 1) for at in range(len(told)))):
        if all(choice[to] == to for to in choice):
            yield told, tuple(told[to] for to in choice)


def fit(sources: list[str], patterns: list[Pattern], counts: np.ndarray) -> np.ndarray:
    """Accuracies (row of `counts`, source) by expectation and maximisation; every row is a set of counts of its own.

    A hypothesis of a pattern says which of its groups is right, or none. Of those it calls wrong, `alike` is how many
    repeat an error of another and `unlike` how many bring one of their own although another had erred before.
    """
    right, wrong, alike, unlike, owner = _hypotheses(sources, patterns)
    rows = counts.shape[0]
    accuracy = np.full((rows, len(sources)), 0.9)
    same_error = np.full(rows, 0.05)
    weight = counts[:, owner]
    starts = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
    for _ in range(STEPS_MAX):
        log_share = (
            np.log(accuracy) @ right.T
            + np.log1p(-accuracy) @ wrong.T
            + np.log(same_error)[:, None] * alike
            + np.log1p(-same_error)[:, None] * unlike
        )
        share = np.exp(log_share)
        total = np.add.reduceat(share, starts, axis=1)
        belief = weight * share / np.repeat(total, np.diff(np.r_[starts, len(owner)]), axis=1)
        hits, misses = belief @ right + PRIOR_RIGHT, belief @ wrong + PRIOR_WRONG
        after = hits / (hits + misses)
        same, other = belief @ alike + PRIOR_ALIKE, belief @ unlike + PRIOR_UNLIKE
        same_error = same / (same + other)
        moved = np.abs(after - accuracy).max()
        accuracy = after
        if moved < CLOSE:
            break
    return accuracy


def _hypotheses(sources: list[str], patterns: list[Pattern]) -> tuple[np.ndarray, ...]:
    """Rows, one a hypothesis: who is right, who is wrong, repeated errors, errors of one's own, and whose pattern."""
    rights, wrongs, alike, unlike, owner = [], [], [], [], []
    for index, (told, agrees_with) in enumerate(patterns):
        for chosen in (*sorted(set(agrees_with)), None):
            is_right = [agrees == chosen for agrees in agrees_with]
            rights.append([any(s == source and r for s, r in zip(told, is_right, strict=True)) for source in sources])
            wrongs.append(
                [any(s == source and not r for s, r in zip(told, is_right, strict=True)) for source in sources]
            )
            errors = [agrees for agrees, r in zip(agrees_with, is_right, strict=True) if not r]
            alike.append(len(errors) - len(set(errors)))
            unlike.append(max(len(set(errors)) - 1, 0))
            owner.append(index)
    return (
        np.array(rights, dtype=np.float64),
        np.array(wrongs, dtype=np.float64),
        np.array(alike, dtype=np.float64),
        np.array(unlike, dtype=np.float64),
        np.array(owner),
    )
