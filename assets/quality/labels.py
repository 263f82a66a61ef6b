"""Precision and recall of matching from a sample that a person labelled: which pairs to ask, and what the answers say.

Belongs here: drawing the sample, reading labels, the estimate. Does not: strata
(transforms/sql/quality/pair_stratum.sql), estimates without labels (`transforms/calibration.py`).
The sample is stratified, with most questions where the model is least sure. Of each stratum the low end is drawn from
Beta(right, wrong + 1) and the high end from Beta(right + 1, wrong), Clopper and Pearson's bounds ("The use of
confidence or fiducial limits", 1934); all strata drawn together many times, the outer 2.5 % on each side are the
interval. So it covers at least what it promises also where a stratum has no exception at all.
Surprise: the sample names records and evidence and shows no value, so whoever labels looks them up with `halosync why`.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from transforms.contracts import ENTITIES
from transforms.engines.port import Engine
from transforms.features import FEATURES, unpack

COLUMNS = ("entity", "record_key_l", "record_key_r", "stratum", "weight_bits", "evidence", "same")
WANTED = 200  # questions an entity
PER_STRATUM_MIN = 8
DRAWS = 20_000
SEED = 20261125
_YES = frozenset({"yes", "y", "1", "true", "same"})
_NO = frozenset({"no", "n", "0", "false", "different"})

LABELLED_SCHEMA = pa.schema(
    [
        ("entity", pa.string()),
        ("measure", pa.string()),
        ("value", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("labels", pa.int64()),
    ]
)
Label = tuple[str, str, str, bool]  # entity, record_key_l, record_key_r, is it the same


class LabelError(Exception):
    """A file of labels cannot be read; the message names line, column and remedy."""


@dataclass(frozen=True)
class Stratum:
    """`pairs` is all there are, `asked` how many were labelled, `true` how many of those are the same."""

    name: str
    pairs: int
    asked: int
    true: int

    @property
    def is_inside(self) -> bool:
        return self.name.startswith("inside")


def write_sample(engine: Engine, path: Path, *, wanted: int = WANTED) -> int:
    """Write the pairs to label as CSV, column `same` empty; the same tables give the same file. Returns the rows."""
    rows = [row for entity in ENTITIES for row in _drawn(engine, entity, wanted)]
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    return len(rows)


def _drawn(engine: Engine, entity: str, wanted: int) -> list[tuple[str, ...]]:
    found = engine.fetch(f"quality.pair_stratum where entity = '{entity}'").to_pylist()
    strata: dict[str, list[dict[str, object]]] = {}
    for row in found:
        strata.setdefault(str(row["stratum"]), []).append(row)
    chosen = []
    for name, questions in shares({name: len(rows) for name, rows in strata.items()}, wanted).items():
        order = sorted(strata[name], key=lambda row: _digest(str(row["record_key_l"]), str(row["record_key_r"])))
        chosen += order[:questions]
    chosen.sort(key=lambda row: (str(row["record_key_l"]), str(row["record_key_r"])))
    return [
        (
            entity,
            str(row["record_key_l"]),
            str(row["record_key_r"]),
            str(row["stratum"]),
            "" if row["weight"] is None else f"{int(str(row['weight'])) / 1000:.1f}",
            _evidence(entity, row["pattern"]),
            "",
        )
        for row in chosen
    ]


def shares(pairs: dict[str, int], wanted: int) -> dict[str, int]:
    """Questions per stratum: at least a few of each, the rest by pairs to the power of 0.7, doubled near the cut."""
    weight = {
        name: n**0.7 * (2 if "0 to 3" in name or "-3 to 0" in name or "never" in name else 1)
        for name, n in pairs.items()
    }
    spare = max(wanted - PER_STRATUM_MIN * len(pairs), 0)
    total = sum(weight.values()) or 1.0
    return {name: min(n, PER_STRATUM_MIN + round(spare * weight[name] / total)) for name, n in sorted(pairs.items())}


def _digest(one: str, two: str) -> bytes:
    """A fixed random order of pairs, by which no source or key comes first."""
    return hashlib.sha256(f"{one}\0{two}".encode()).digest()


def _evidence(entity: str, pattern: object) -> str:
    if pattern is None:
        return "never compared: no block brought them together"
    levels = unpack(np.array([pattern], dtype=np.int64), entity)[0]
    told = []
    for feature, code in zip(FEATURES[entity], levels, strict=True):
        name = next(level.name for level in feature.levels if level.code == code)
        if name != "missing":
            told.append(f"{feature.name}: {name}")
    return "; ".join(told)


def read_labels(path: Path) -> list[Label]:
    """The answered rows of a sample.

    Raises:
        LabelError: the file, a column or an answer is not what it should be.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            lacking = [
                name
                for name in ("entity", "record_key_l", "record_key_r", "same")
                if name not in (reader.fieldnames or [])
            ]
            if lacking:
                raise LabelError(
                    f"{path}: column {lacking[0]} is missing. Expected a file that `halosync report --sample` wrote."
                )
            rows = list(enumerate(reader, start=2))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LabelError(f"{path} cannot be read ({type(error).__name__}). Expected CSV in UTF-8.") from error
    return [label for line, row in rows if (label := _label(path, line, row))]


def _label(path: Path, line: int, row: dict[str, str]) -> Label | None:
    answer = (row["same"] or "").strip().lower()
    if not answer:
        return None
    if answer not in _YES | _NO:
        raise LabelError(f"{path} line {line}: column same is {answer[:12]!r}. Expected yes, no, or nothing.")
    if row["entity"] not in ENTITIES:
        raise LabelError(f"{path} line {line}: column entity must be contact or organisation.")
    left, right = sorted((row["record_key_l"], row["record_key_r"]))
    return row["entity"], left, right, answer in _YES


def write_labels(path: Path, told: Iterable[Label]) -> None:
    """Keep answers as CSV, sorted, the last answer to a pair; whole or not at all."""
    answers = {(entity, left, right): is_same for entity, left, right, is_same in told}
    draft = path.with_name(f".{path.name}.part")
    with draft.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("entity", "record_key_l", "record_key_r", "same"))
        writer.writerows((*pair, "yes" if is_same else "no") for pair, is_same in sorted(answers.items()))
    draft.replace(path)


def put(engine: Engine, labels: Iterable[Label]) -> None:
    """Make `quality.labelled_accuracy`: precision and recall of each entity of which any pair was labelled."""
    told = {(entity, left, right): is_same for entity, left, right, is_same in labels}
    rows = []
    for entity in ENTITIES:
        of_entity = {key: is_same for key, is_same in told.items() if key[0] == entity}
        if of_entity:
            strata = _strata(engine, entity, of_entity)
            met = engine.fetch(f"resolved.{entity}_unmet", ("met_share",))["met_share"].to_pylist()
            for measure, figures in estimate(strata, met_share=met[0] if met else 1.0).items():
                labels_used = sum(stratum.asked for stratum in strata)
                rows.append({"entity": entity, "measure": measure, "labels": labels_used, **figures})
    engine.put("quality.labelled_accuracy", pa.Table.from_pylist(rows, schema=LABELLED_SCHEMA))


def _strata(engine: Engine, entity: str, told: dict[tuple[str, str, str], bool]) -> list[Stratum]:
    columns = ("stratum", "record_key_l", "record_key_r")
    counts: dict[str, list[int]] = {}
    for row in engine.fetch(f"quality.pair_stratum where entity = '{entity}'", columns).to_pylist():
        count = counts.setdefault(row["stratum"], [0, 0, 0])
        count[0] += 1
        is_same = told.get((entity, row["record_key_l"], row["record_key_r"]))
        if is_same is not None:
            count[1] += 1
            count[2] += is_same
    return [Stratum(name, *count) for name, count in sorted(counts.items())]


def estimate(strata: list[Stratum], *, met_share: float = 1.0, draws: int = DRAWS) -> dict[str, dict[str, float]]:
    """Precision and recall with their 95 % intervals: `value`, `low`, `high`.

    `met_share` is the share of true pairs that are among the strata at all; the others count as missed. A stratum of
    which nothing was asked may be anything.
    """
    dice = np.random.Generator(np.random.PCG64(SEED))
    inside = np.array([stratum.is_inside for stratum in strata])
    pairs = np.array([stratum.pairs for stratum in strata], dtype=np.float64)
    right = np.array([stratum.true for stratum in strata], dtype=np.float64)
    wrong = np.array([stratum.asked - stratum.true for stratum in strata], dtype=np.float64)
    # What was asked is known; only the rest of a stratum is a guess.
    rest = pairs - right - wrong
    fewest = right + rest * _beta(dice, right, wrong + 1, draws)
    most = right + rest * _beta(dice, right + 1, wrong, draws)
    asked = np.maximum(right + wrong, 1)
    middle = (pairs * np.where(right + wrong > 0, right / asked, 0.5))[None, :]

    def recall(kept: np.ndarray, lost: np.ndarray) -> np.ndarray:
        in_all = kept[:, inside].sum(axis=1) + lost[:, ~inside].sum(axis=1)
        return met_share * kept[:, inside].sum(axis=1) / np.maximum(in_all, 1e-9)

    def precision(kept: np.ndarray) -> np.ndarray:
        return kept[:, inside].sum(axis=1) / max(pairs[inside].sum(), 1.0)

    return {
        "precision": _interval(precision(middle), precision(fewest), precision(most)),
        "recall": _interval(recall(middle, middle), recall(fewest, most), recall(most, fewest)),
    }


def _beta(dice: np.random.Generator, right: np.ndarray, wrong: np.ndarray, draws: int) -> np.ndarray:
    """Draws of each stratum's share; 0 where nothing speaks for it, 1 where nothing speaks against it."""
    drawn = dice.beta(np.maximum(right, 1e-9), np.maximum(wrong, 1e-9), size=(draws, len(right)))
    return np.where(right == 0, 0.0, np.where(wrong == 0, 1.0, drawn))


def _interval(middle: np.ndarray, low: np.ndarray, high: np.ndarray) -> dict[str, float]:
    figures = float(middle[0]), float(np.quantile(low, 0.025)), float(np.quantile(high, 0.975))
    return dict(zip(("value", "low", "high"), (round(figure, 6) for figure in figures), strict=True))
