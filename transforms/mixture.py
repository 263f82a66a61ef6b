"""The mixture: pairs are true, or false by accident, or false of a kind; how many of each, and how each looks.

Belongs here: expectation-maximisation over distinct patterns. Does not: which kinds there are (kinds.py), how counts
become looks (looks.py), chance agreement (chance.py), what is stored and how a pattern is weighed (model.py).
Surprise: the number of accidental pairs is not fitted: all pairs of records that are not true are, blocked or not. And
which two sources a pair comes from is one more feature: a vendor holds a person mostly once, so true pairs lie across.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transforms.chance import Table, by_group, groups, without_matches
from transforms.features import LEVELS, Feature
from transforms.kinds import IDENTITY, SHARED, Kind, disagreeing
from transforms.looks import START_PAIRS, bits, exact_shares, guessed, kind_look, ratio, share_out

ROUNDS = 100
SOURCES_FROM = 5  # rounds before the sources are listened to: first the classes must look like themselves
CHANCE_EVERY = 10  # rounds between taking the pairs thought true out of chance agreement
CLOSE_ENOUGH = 1e-4  # relative change of the number of true pairs
PAIRS_MIN = 1e-6  # so that a logarithm can be taken
KIND_PAIRS_MIN = 0.01  # a kind with fewer is dropped
KIND_TOLL_PAIRS = 1.0  # one odd pair is no kind: each pays a pair for being there (a sparse Dirichlet prior)
# Where the search starts; half and double end at the same place (docs/matching.md).
TRUE_START, KIND_START = 0.3, 0.1  # pairs a record
MOVED_START = 0.05  # of true pairs, for each move
# For how true pairs look the guesses of features.py count as this many pairs a record: where fewer records than that
# have a double there is nothing to learn doubles from, and training would find the most alike of strangers.
GUESS_SHARE = 0.01
# A kind is kept only where errors in true pairs cannot imitate it: the facts it has by chance would all differ in a
# true pair with less than this probability. Otherwise it would take true pairs away. Half and double: docs/matching.md.
IMITATED_MAX = 0.2
PRESENT_MIN = 0.02  # share of pairs in which a feature must be told at all


@dataclass
class Mixture:
    """Pairs of each class and how they look; `kinds` and `kind_pairs` run in step."""

    m: Table
    u: Table
    true_pairs: float
    kinds: tuple[Kind, ...]
    kind_pairs: np.ndarray
    looks: dict[tuple[str, str], np.ndarray]  # (feature, how it is shared) -> share of each level
    source_bits: np.ndarray  # what each source pair says for truth
    moves: tuple[tuple[str, ...], ...]  # features that agree by chance only in a true pair that has moved
    move_shares: np.ndarray  # of true pairs: first those that have not


@dataclass(frozen=True)
class Seen:
    """Distinct patterns with their levels; `pairs`, `pattern` and `sources` say of each row which and how many."""

    levels: np.ndarray
    pairs: np.ndarray
    pattern: np.ndarray
    sources: np.ndarray
    source_chance: np.ndarray  # how pairs of records at random spread over source pairs
    is_one_source: np.ndarray  # of each source pair
    records: int
    all_pairs: float

    def per_pattern(self, rows: np.ndarray) -> np.ndarray:
        return np.bincount(self.pattern, weights=rows, minlength=len(self.levels))


def fit(
    features: tuple[Feature, ...],
    kinds: tuple[Kind, ...],
    moves: tuple[tuple[str, ...], ...],
    seen: Seen,
    raw: Table,
    shares: Table,
) -> Mixture:
    """`raw`: agreement of all pairs of records; `shares`: how what is said spreads over rare and common values."""
    found = _start(features, kinds, moves, seen, raw, shares)
    for turn in range(ROUNDS):
        before = found.true_pairs
        true_rows, kind_rows, share_of_move, share_of_kind = responsibilities(features, found, seen)
        matched = seen.per_pattern(true_rows)
        _learn_true(features, found, seen, share_of_move * matched, shares)
        _learn_kinds(features, found, seen, share_of_kind * seen.per_pattern(kind_rows))
        if turn >= SOURCES_FROM:
            found.source_bits = _source_bits(seen, true_rows)
        if turn % CHANCE_EVERY == CHANCE_EVERY - 1:
            found.u = without_matches(features, seen.levels, matched, raw)
            _drop_empty(found)
        elif turn > 3 * CHANCE_EVERY and abs(found.true_pairs - before) < CLOSE_ENOUGH * before:
            break
    return found


def _start(
    features: tuple[Feature, ...],
    kinds: tuple[Kind, ...],
    moves: tuple[tuple[str, ...], ...],
    seen: Seen,
    raw: Table,
    shares: Table,
) -> Mixture:
    by_name = {feature.name: feature for feature in features}
    u = by_group(features, raw)
    m = {feature.name: guessed(feature, shares[feature.name]) for feature in features}
    kinds = _usable(features, kinds, seen, m)
    looks = {
        (name, how): guessed(by_name[name], exact_shares(by_name[name], u[name]))
        for kind in kinds
        for name, how in kind.shares.items()
    }
    return Mixture(
        m=m,
        u=u,
        true_pairs=max(min(TRUE_START * seen.records, 0.2 * seen.all_pairs), PAIRS_MIN),
        kinds=kinds,
        kind_pairs=np.full(len(kinds), max(KIND_START * seen.records, PAIRS_MIN)),
        looks=looks,
        source_bits=np.zeros(len(seen.source_chance)),
        moves=moves,
        move_shares=np.r_[1 - MOVED_START * len(moves), np.full(len(moves), MOVED_START)],
    )


def _learn_true(features: tuple[Feature, ...], found: Mixture, seen: Seen, of_move: np.ndarray, shares: Table) -> None:
    """How many true pairs there are, how many of them moved, and how those look whose features did not."""
    found.true_pairs = max(float(of_move.sum()), PAIRS_MIN)
    moved = of_move.sum(axis=1) + START_PAIRS * np.r_[1.0, np.full(len(found.moves), MOVED_START)]
    found.move_shares = moved / moved.sum()
    weight = max(START_PAIRS, GUESS_SHARE * seen.records)
    for column, feature in enumerate(features):
        stays = [0, *(index + 1 for index, lost in enumerate(found.moves) if feature.name not in lost)]
        counted = np.bincount(seen.levels[:, column], weights=of_move[stays].sum(axis=0), minlength=LEVELS)
        found.m[feature.name] = share_out(feature, counted, shares[feature.name], guess_pairs=weight)


def _learn_kinds(features: tuple[Feature, ...], found: Mixture, seen: Seen, of_kind: np.ndarray) -> None:
    found.kind_pairs = np.maximum(of_kind.sum(axis=1) - KIND_TOLL_PAIRS, PAIRS_MIN)
    for column, feature in enumerate(features):
        for how in sorted(how for name, how in found.looks if name == feature.name):
            shows = [index for index, kind in enumerate(found.kinds) if kind.shares.get(feature.name) == how]
            counted = np.bincount(seen.levels[:, column], weights=of_kind[shows].sum(axis=0), minlength=LEVELS)
            found.looks[feature.name, how] = kind_look(
                feature, how, counted, found.m[feature.name], found.u[feature.name]
            )


def _drop_empty(found: Mixture) -> None:
    """A kind without one pair is none."""
    stays = found.kind_pairs >= KIND_PAIRS_MIN
    found.kinds = tuple(kind for kind, stay in zip(found.kinds, stays, strict=True) if stay)
    found.kind_pairs = found.kind_pairs[stays]
    used = {share for kind in found.kinds for share in kind.shares.items()}
    found.looks = {share: look for share, look in found.looks.items() if share in used}


def responsibilities(
    features: tuple[Feature, ...], found: Mixture, seen: Seen
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Of each row the pairs thought true and thought of some kind; how the former share out over moves, the latter
    over kinds, of each pattern."""
    true, kinds = pattern_odds(features, found, seen)
    any_true, share_of_move = _summed(true)
    any_kind, share_of_kind = _summed(kinds)
    t = any_true[seen.pattern] + found.source_bits[seen.sources]
    k = any_kind[seen.pattern]
    top = np.maximum(np.maximum(t, k), 0.0)
    e_true, e_kind = np.exp2(t - top), np.exp2(k - top)
    scale = seen.pairs / (e_true + e_kind + np.exp2(-top))
    return scale * e_true, scale * e_kind, share_of_move, share_of_kind


def _summed(odds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """log2 of the sum down the columns, and what share of it each row is."""
    highest = odds.max(axis=0, initial=-1000.0)
    each = np.exp2(odds - highest)
    together = np.maximum(each.sum(axis=0), 1e-300)
    return highest + np.log2(together), each / together


def pattern_odds(features: tuple[Feature, ...], found: Mixture, seen: Seen) -> tuple[np.ndarray, np.ndarray]:
    """log2 odds of each pattern against an accident: true (a row a move), and each kind; sources apart."""
    accidents = max(seen.all_pairs - found.true_pairs, 1.0)
    column = {feature.name: index for index, feature in enumerate(features)}
    evidence = {
        feature.name: bits(feature, found.m[feature.name], found.u[feature.name])[seen.levels[:, column[feature.name]]]
        for feature in features
    }
    true = np.tile(sum(evidence.values()) + np.log2(found.true_pairs / accidents), (len(found.moves) + 1, 1))
    for index, lost in enumerate(found.moves):
        true[index + 1] -= sum(evidence[name] for name in lost)
    true += np.log2(found.move_shares)[:, None]
    against = {
        (name, how): ratio(look, found.u[name])[seen.levels[:, column[name]]]
        for (name, how), look in found.looks.items()
    }
    kinds = np.zeros((len(found.kinds), len(seen.levels)))
    for index, kind in enumerate(found.kinds):
        kinds[index] = np.log2(found.kind_pairs[index] / accidents)
        for share in kind.shares.items():
            kinds[index] += against[share]
    return true, kinds


def _source_bits(seen: Seen, rows: np.ndarray) -> np.ndarray:
    """How true pairs spread over source pairs against all pairs. To come from one source never speaks for truth: else
    a class of false pairs that fill one source would call itself true because it fills that source."""
    pairs = np.bincount(seen.sources, weights=rows, minlength=len(seen.source_chance))
    counted = pairs + START_PAIRS * seen.source_chance
    found = np.log2(counted / counted.sum() / seen.source_chance)
    return np.where(seen.is_one_source, np.minimum(found, 0.0), found)


def _usable(features: tuple[Feature, ...], kinds: tuple[Kind, ...], seen: Seen, m: Table) -> tuple[Kind, ...]:
    total = seen.per_pattern(seen.pairs)
    told = (total[:, None] * (seen.levels > 0)).sum(axis=0) / max(float(total.sum()), 1.0)
    present = {feature.name: float(share) for feature, share in zip(features, told, strict=True)}
    # How often a true pair shows what tells it from a kind that has the feature at chance; where a kind has it alike
    # (a mailbox that follows the names), the identity itself is still at chance.
    agrees, is_identical = {}, {}
    for column, feature in enumerate(features):
        look = m[feature.name]
        agrees[feature.name] = 1 - max((float(look[code]) for code in disagreeing(feature)), default=1.0)
        if feature.name in IDENTITY:
            met = np.bincount(seen.levels[:, column], weights=total, minlength=LEVELS)
            is_identical[feature.name] = _identical(feature, look, met)

    def imitated(kind: Kind) -> float:
        apart = {name: agrees[name] for name in present if name not in kind.shares}
        apart |= {name: share for name, share in is_identical.items() if kind.shares.get(name, SHARED) != SHARED}
        return float(np.prod([1 - present[name] * share for name, share in apart.items()]))

    return tuple(
        kind
        for kind in kinds
        if all(present[name] >= PRESENT_MIN for name in kind.needs) and imitated(kind) < IMITATED_MAX
    )


def _identical(feature: Feature, look: np.ndarray, met: np.ndarray) -> float:
    """Share of true pairs that show the identity, over the groups of levels as met pairs spread over them."""
    spread = [(float(met[codes].sum()), codes) for codes in groups(feature).values() if 0 not in codes]
    shown = sum(
        pairs * float(look[[code for code in codes if code in IDENTITY[feature.name]]].sum()) for pairs, codes in spread
    )
    return shown / max(sum(pairs for pairs, _ in spread), 1.0)
