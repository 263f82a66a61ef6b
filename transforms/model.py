"""The model: what matching learned from one body of data, without labels, and how it weighs a pair.

Belongs here: the stored form, training from counts to that form, the weight of a pattern and its terms. Does not: the
learning itself (chance.py, mixture.py), kinds of false pairs (kinds.py), calibration and estimates (calibration.py),
where models are kept (the ledger).
Surprise: evidence adds up against chance, then one term takes back what colleagues, relatives or namesakes would show
as well. That term is never positive.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict

from transforms import calibration, chance, looks, mixture
from transforms.calibration import Calibration
from transforms.features import FEATURES, unpack
from transforms.kinds import KINDS, MOVES
from transforms.mixture import Mixture, Seen

VERSION = 2
VALUE_SCHEMA = pa.schema(
    [
        ("field", pa.string()),
        ("value", pa.string()),
        ("bucket", pa.int64()),
        ("initials", pa.int64()),
        ("is_generic", pa.bool_()),
    ]
)
MILLI = 1000  # weights are kept in thousandths of a bit, as integers: sums and means are exact on every engine
_BETWEEN = "\x1f"


class KindLearned(BaseModel):
    """log2 of how many such pairs there are for each accidental one, and which of `Model.looks` it shows."""

    model_config = ConfigDict(frozen=True)

    name: str
    prior_milli: int
    looks: list[str]


class Model(BaseModel):
    """Everything learned. Frozen between trainings: the same pattern weighs the same until the next one."""

    model_config = ConfigDict(frozen=True)

    version: int = VERSION
    entity: str
    records: int
    prior_log2: float  # of a true pair against an accidental one
    weights: dict[str, list[int]]  # feature -> weight of each level against chance, thousandths of a bit
    m: dict[str, list[float]]
    u: dict[str, list[float]]
    kinds: list[KindLearned] = []
    moves: dict[str, int] = {}  # log2 of how many true pairs have moved so, for each that has not
    looks: dict[str, list[int]] = {}  # "feature: how it is shared" -> weight of each level against chance
    sources: dict[str, int] = {}  # source pair -> weight
    calibration: Calibration
    never_met_milli: int | None = None  # what it says of a pair never to have met; None: not learned yet
    met_share: float = 1.0  # of true pairs, that blocking meets
    values: dict[str, dict[str, tuple[int, int, bool]]] = {}  # field -> value -> bucket, initials, generic; rest rare

    def with_values(self, common: pa.Table) -> Model:
        """The same model that also knows these values (resolved.*_value) as other than rare."""
        values: dict[str, dict[str, tuple[int, int, bool]]] = {}
        for row in common.sort_by([("field", "ascending"), ("value", "ascending")]).to_pylist():
            values.setdefault(row["field"], {})[row["value"]] = (row["bucket"], row["initials"], row["is_generic"])
        return self.model_copy(update={"values": values})

    def is_outgrown(self, records: int) -> bool:
        """Whether there are more than twice or fewer than half as many records as it was trained on."""
        return not self.records / 2 <= records <= self.records * 2

    def value_table(self) -> pa.Table:
        """The known values in the shape of resolved.*_value."""
        rows = [
            dict(zip(VALUE_SCHEMA.names, (name, value, *known), strict=True))
            for name, values in self.values.items()
            for value, known in values.items()
        ]
        return pa.Table.from_pylist(rows, schema=VALUE_SCHEMA)

    def odds_milli(self, seen: pa.Table) -> np.ndarray:
        """log2 odds before calibration, thousandths of a bit, of each row of pattern, source_low, source_high."""
        patterns = seen["pattern"].to_numpy().astype(np.int64)
        terms = self.terms(patterns, seen["source_low"].to_pylist(), seen["source_high"].to_pylist())
        del terms["calibration"]
        return sum(terms.values(), np.zeros(len(patterns), dtype=np.int64))

    def terms(self, patterns: np.ndarray, low: list[str], high: list[str]) -> dict[str, np.ndarray]:
        """What speaks for and against, thousandths of a bit: the terms of a row add up to its weight exactly."""
        worth = {name: milli for name, (milli, _) in self.told(patterns).items()}
        return self.added(worth, self.source_milli(low, high))

    def told(self, patterns: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """What the level of each feature is worth against chance, thousandths of a bit, and whether anything is told;
        then the same of each look of the kinds."""
        levels = unpack(patterns, self.entity)
        column = {feature.name: index for index, feature in enumerate(FEATURES[self.entity])}
        tables = {**{name: self.weights[name] for name in column}, **self.looks}
        found = {}
        for name, table in tables.items():
            of_feature = levels[:, column[name.split(": ")[0]]]
            found[name] = np.asarray(table, dtype=np.int64)[of_feature], of_feature > 0
        return found

    def source_milli(self, low: list[str], high: list[str]) -> np.ndarray:
        """What each source pair is worth, thousandths of a bit."""
        pair = [self.sources.get(pair_name(*names), 0) for names in zip(low, high, strict=True)]
        return np.asarray(pair, dtype=np.int64)

    def added(self, worth: dict[str, np.ndarray], sources: np.ndarray) -> dict[str, np.ndarray]:
        """The terms of rows whose features and looks (as `told` names them) and sources are worth this much."""
        found = {"prior": np.full(len(sources), round(self.prior_log2 * MILLI), dtype=np.int64)}
        found |= {feature.name: worth[feature.name] for feature in FEATURES[self.entity]}
        found["sources"] = sources
        found["moves"] = _rounded(np.log2(1 + self._move_odds(found)))
        found["alternatives"] = -_rounded(np.log2(1 + self._kind_odds(worth, len(sources))))
        before = sum(found.values(), np.zeros(len(sources), dtype=np.int64))
        found["calibration"] = self.calibration.correction_milli(before)
        return found

    def weigh(self, seen: pa.Table) -> pa.Table:
        """pattern, source_low, source_high -> with weight (thousandths of a bit above the cut) and probability."""
        patterns = seen["pattern"].to_numpy().astype(np.int64)
        low, high = seen["source_low"].to_pylist(), seen["source_high"].to_pylist()
        weight = sum(self.terms(patterns, low, high).values(), np.zeros(len(patterns), dtype=np.int64))
        return pa.table(
            {
                "pattern": patterns,
                "source_low": pa.array(low, pa.string()),
                "source_high": pa.array(high, pa.string()),
                "weight": weight,
                "probability": np.round(calibration.probability(weight / MILLI), 6),
            }
        )

    @property
    def threshold(self) -> float:
        """The cut on the evidence scale, in bits: what evidence against chance must reach where no kind is in doubt."""
        return -self.prior_log2 - float(self.calibration.correction_milli(np.zeros(1, dtype=np.int64))[0]) / MILLI

    def _move_odds(self, terms: dict[str, np.ndarray]) -> np.ndarray:
        """How many times likelier than without a move the pair is to be true and to have moved in some way."""
        total = np.zeros(len(terms["prior"]))
        for move, prior_milli in self.moves.items():
            lost = sum((terms[name] for name in MOVES[self.entity][move]), -prior_milli)
            total += np.exp2(np.clip(-lost / MILLI, -200, 200))
        return total

    def _kind_odds(self, worth: dict[str, np.ndarray], rows: int) -> np.ndarray:
        """How many times likelier than an accident the pair is to be false of any kind."""
        total = np.zeros(rows)
        for kind in self.kinds:
            milli = sum((worth[look] for look in kind.looks), np.int64(kind.prior_milli))
            total += np.exp2(np.clip(milli / MILLI, -200, 200))
        return total


def pair_name(low: str, high: str) -> str:
    return f"{low}{_BETWEEN}{high}"


def _rounded(bits: np.ndarray) -> np.ndarray:
    return np.rint(bits * MILLI).astype(np.int64)


def train(entity: str, *, records: int, counts: pa.Table, values: pa.Table) -> Model:
    """Learn from pattern counts (resolved.*_pattern_count) and value counts (resolved.*_value)."""
    features = FEATURES[entity]
    raw = chance.agreement(features, entity, records, counts, values)
    candidates = counts.filter(pc.invert(counts["is_sample"]))
    names, seen = _seen(entity, records, counts, candidates)
    shares = chance.spoken_shares(features, values)
    found = mixture.fit(features, KINDS[entity], tuple(MOVES[entity].values()), seen, raw, shares)
    draft = _stored(entity, records, found, names, seen)
    fitted = calibration.fit(features, found, seen)
    odds = draft.odds_milli(candidates)
    bins = calibration.binned(fitted, odds, seen.pairs)
    return draft.model_copy(update={"calibration": fitted.model_copy(update={"bins": bins})})


def _seen(entity: str, records: int, counts: pa.Table, candidates: pa.Table) -> tuple[list[str], Seen]:
    patterns, pattern = np.unique(candidates["pattern"].to_numpy().astype(np.int64), return_inverse=True)
    row_names = _pair_names(candidates)
    sample = counts.filter(counts["is_sample"])
    names = sorted({*row_names, *_pair_names(sample)}) or [""]
    code = {name: index for index, name in enumerate(names)}
    drawn = np.bincount(
        [code[name] for name in _pair_names(sample)], weights=sample["pairs"].to_numpy(), minlength=len(names)
    )
    pairs = candidates["pairs"].to_numpy().astype(np.float64)
    return names, Seen(
        levels=unpack(patterns, entity),
        pairs=pairs,
        pattern=pattern,
        sources=np.asarray([code[name] for name in row_names], dtype=np.int64),
        source_chance=(drawn + 0.5) / (drawn + 0.5).sum(),
        is_one_source=np.asarray([len(set(name.split(_BETWEEN))) == 1 for name in names]),
        records=records,
        all_pairs=max(records * (records - 1) / 2, float(pairs.sum()), 2.0),
    )


def _pair_names(table: pa.Table) -> list[str]:
    names = zip(table["source_low"].to_pylist(), table["source_high"].to_pylist(), strict=True)
    return [pair_name(*name) for name in names]


def _stored(entity: str, records: int, found: Mixture, names: list[str], seen: Seen) -> Model:
    features = FEATURES[entity]
    accidents = max(seen.all_pairs - found.true_pairs, 1.0)
    unmoved, *moved = found.move_shares
    return Model(
        entity=entity,
        records=records,
        prior_log2=round(float(np.log2(found.true_pairs * unmoved / accidents)), 6),
        weights={
            feature.name: _rounded(looks.bits(feature, found.m[feature.name], found.u[feature.name])).tolist()
            for feature in features
        },
        m=_listed(found.m),
        u=_listed(found.u),
        kinds=[
            KindLearned(
                name=kind.name,
                prior_milli=round(float(np.log2(pairs / accidents)) * MILLI),
                looks=[f"{name}: {how}" for name, how in sorted(kind.shares.items())],
            )
            for kind, pairs in zip(found.kinds, found.kind_pairs, strict=True)
        ],
        moves=dict(zip(MOVES[entity], _rounded(np.log2(np.asarray(moved) / unmoved)).tolist(), strict=True)),
        looks={
            f"{name}: {how}": _rounded(looks.ratio(look, found.u[name])).tolist()
            for (name, how), look in sorted(found.looks.items())
        },
        sources=dict(zip(names, _rounded(found.source_bits).tolist(), strict=True)),
        calibration=Calibration(),
    )


def _listed(table: chance.Table) -> dict[str, list[float]]:
    return {name: [round(float(figure), 12) for figure in figures] for name, figures in table.items()}
