"""Survivorship: which value of a cluster becomes the golden one, by rules that are data (survivorship.toml).

Belongs here: the rules, their check, the kernel that applies them and keeps the losers. Does not: the golden rows
themselves (sql/golden), ids (identity.py).
Surprise: the provenance comes first and the golden row is read off it, so every golden cell can be derived again.
"""

from __future__ import annotations

import json
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, model_validator

from transforms.contracts import TABLES
from transforms.kernels.standardise import ARROW_TYPES

Rule = Literal["vote", "recency", "verified", "priority", "longest", "employer"]

PROVENANCE_SCHEMA = pa.schema(
    [(column.name, ARROW_TYPES[column.type]) for column in TABLES["golden.provenance"].columns]
)
STATUS_ORDER = {"verified": 0, "risky": 1, "unknown": 2, "guessed": 3, "invalid": 4}
NOT_IN_RULES = {"golden_id", "sources", "record_count", "content_hash", "updated_at"}


class Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    fields: tuple[str, ...]
    rules: tuple[Rule, ...]
    any: str | None = None


class EntityRules(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    groups: tuple[Group, ...]


class Rules(BaseModel):
    """The whole file. Every value column of the golden contracts has exactly one group."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sources: tuple[str, ...]
    contact: EntityRules
    organisation: EntityRules

    @model_validator(mode="after")
    def _covers_the_contract(self) -> Rules:
        for entity in ("contact", "organisation"):
            named = [field for group in getattr(self, entity).groups for field in group.fields]
            wanted = [name for name in TABLES[f"golden.{entity}"].column_names if name not in NOT_IN_RULES]
            if sorted(named) != sorted(wanted):
                odd = sorted(set(named) ^ set(wanted)) or "a field named twice"
                raise ValueError(f"survivorship.toml [{entity}] and golden.{entity} differ in: {odd}")
        return self


@lru_cache(maxsize=1)
def load_rules() -> Rules:
    return Rules.model_validate(tomllib.loads((Path(__file__).parent / "survivorship.toml").read_text("utf-8")))


def survive_contact(batch: pa.RecordBatch) -> pa.RecordBatch:
    return survive(batch, "contact", load_rules())


def survive_organisation(batch: pa.RecordBatch) -> pa.RecordBatch:
    return survive(batch, "organisation", load_rules())


def survive(batch: pa.RecordBatch, entity: str, rules: Rules) -> pa.RecordBatch:
    """Whole clusters (golden.<entity>_member) -> golden.provenance rows."""
    frame = batch.to_pandas().sort_values(["golden_id", "record_key"], kind="stable", ignore_index=True)
    frame["golden_code"] = pd.factorize(frame["golden_id"])[0]
    frame["priority_rank"] = _priority(frame["source"], rules.sources)
    recency = frame["source_updated_at"].astype("datetime64[us]").astype("int64")
    frame["recency_rank"] = np.where(frame["source_updated_at"].isna(), np.iinfo(np.int64).max, -recency)
    groups: tuple[Group, ...] = getattr(rules, entity).groups
    employer = _best_employer(frame, groups) if entity == "contact" else None
    parts = [part for group in groups for part in _cells(frame, group, employer)]
    table = pa.concat_tables(parts) if parts else PROVENANCE_SCHEMA.empty_table()
    return table.combine_chunks().to_batches()[0] if table.num_rows else _empty()


def _empty() -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(
        [pa.array([], field.type) for field in PROVENANCE_SCHEMA], schema=PROVENANCE_SCHEMA
    )


def _priority(source: pd.Series, sources: tuple[str, ...]) -> np.ndarray:
    """Place in `sources`; an export counts as its vendor; unknown sources come last."""
    place = {name: rank for rank, name in enumerate(sources)}
    return source.map(lambda name: place.get(name, place.get(name.split("_")[-1], len(sources)))).to_numpy(np.int64)


def _best_employer(frame: pd.DataFrame, groups: tuple[Group, ...]) -> np.ndarray:
    """Per row: 0 where the record hangs on the organisation that won, else 1."""
    group = next(group for group in groups if group.fields[0] == "organisation_golden_id")
    ranked = _ranked(frame, group, None)
    winner = ranked.drop_duplicates("golden_code").set_index("golden_code")["value"]
    return (frame["organisation_golden_id"] != frame["golden_code"].map(winner)).to_numpy(np.int64)


def _ranked(frame: pd.DataFrame, group: Group, employer: np.ndarray | None) -> pd.DataFrame:
    """Rows that say something of the group's first field, best first inside each cluster."""
    lead = group.fields[0]
    said = frame[lead].notna().to_numpy()
    rows = pd.DataFrame(
        {
            "row": np.flatnonzero(said),
            "golden_code": frame["golden_code"].to_numpy()[said],
            "value": _text(frame.loc[said, lead]),
        }
    )
    order = []
    for rule in group.rules:
        if rule == "employer" and employer is None:
            continue
        rows[rule] = _rank(frame, rows, rule, employer)
        order.append(rule)
    return rows.sort_values(["golden_code", *order, "row"], kind="stable", ignore_index=True)


def _text(column: pd.Series) -> pd.Series:
    if column.dtype == bool or str(column.dtype) in ("boolean", "object"):
        return column.map(lambda value: str(value).lower() if isinstance(value, bool) else str(value)).reset_index(
            drop=True
        )
    if str(column.dtype).lower().startswith(("int", "float")):
        return column.astype("int64").astype(str).reset_index(drop=True)
    return column.astype(str).reset_index(drop=True)


def _rank(frame: pd.DataFrame, rows: pd.DataFrame, rule: str, employer: np.ndarray | None) -> np.ndarray:
    """Small is better."""
    place = rows["row"].to_numpy()
    if rule == "vote":  # by sources, not records: a vendor that holds a person twice still has one voice
        voice = pd.DataFrame(
            {"golden": rows["golden_code"], "value": rows["value"], "source": frame["source"].to_numpy()[place]}
        )
        distinct = voice.drop_duplicates().groupby(["golden", "value"], sort=False).size().rename("votes")
        votes = voice.merge(distinct, how="left", left_on=["golden", "value"], right_index=True)["votes"]
        return -votes.to_numpy(np.int64)
    if rule == "recency":
        return frame["recency_rank"].to_numpy()[place]
    if rule == "priority":
        return frame["priority_rank"].to_numpy()[place]
    if rule == "longest":
        return -rows["value"].str.len().to_numpy(np.int64)
    if rule == "verified":
        return frame["email_status"].map(STATUS_ORDER).fillna(len(STATUS_ORDER)).to_numpy(np.int64)[place]
    assert employer is not None
    return employer[place]


def _cells(frame: pd.DataFrame, group: Group, employer: np.ndarray | None) -> list[pa.Table]:
    ranked = _ranked(frame, group, employer)
    if ranked.empty:
        return []
    winners = ranked.drop_duplicates("golden_code").reset_index(drop=True)
    rule = _deciding_rule(ranked, winners, [name for name in group.rules if name in ranked])
    losers = _losers(frame, ranked, winners)
    parts = []
    for field in group.fields:
        if field == group.any:
            cells = _any_true(frame, ranked, winners, field)
        else:
            cells = frame[field].iloc[winners["row"].to_numpy()].reset_index(drop=True)
        has = cells.notna().to_numpy()
        if not has.any():
            continue
        place = winners["row"].to_numpy()[has]
        parts.append(
            pa.table(
                {
                    "golden_id": pa.array(frame["golden_id"].to_numpy()[place], pa.string()),
                    "field": pa.array([field] * int(has.sum()), pa.string()),
                    "value": pa.array(_text(cells[has]).tolist(), pa.string()),
                    "record_key": pa.array(frame["record_key"].to_numpy()[place], pa.string()),
                    "rule": pa.array(rule[has].tolist(), pa.string()),
                    "losers": pa.array(
                        [losers.get(code, "[]") for code in winners["golden_code"].to_numpy()[has]]
                        if field == group.fields[0]
                        else ["[]"] * int(has.sum()),
                        pa.string(),
                    ),
                },
                schema=PROVENANCE_SCHEMA,
            )
        )
    return parts


def _deciding_rule(ranked: pd.DataFrame, winners: pd.DataFrame, rules: list[str]) -> np.ndarray:
    """The first rule that left only the winning value; `only` where nothing else was said, `first` on a dead tie."""
    contest = ranked.merge(winners[["golden_code", "value", *rules]], on="golden_code", suffixes=("", "_won"))
    contest = contest[contest["value"] != contest["value_won"]]
    decided = pd.Series("only", index=winners["golden_code"].to_numpy())
    decided.loc[contest["golden_code"].unique()] = "first"
    for rule in rules:
        if contest.empty:
            break
        contest = contest[contest[rule] == contest[f"{rule}_won"]]
        open_still = set(contest["golden_code"].unique())
        undecided = decided.index[(decided == "first").to_numpy()]
        decided.loc[[code for code in undecided if code not in open_still]] = rule
    return decided.loc[winners["golden_code"].to_numpy()].to_numpy()


def _losers(frame: pd.DataFrame, ranked: pd.DataFrame, winners: pd.DataFrame) -> dict[int, str]:
    """JSON of [record_key, value] per cluster, best first, one per differing value."""
    beaten = ranked.drop_duplicates(["golden_code", "value"])
    beaten = beaten[beaten["golden_code"].duplicated(keep="first").to_numpy()]
    listed: dict[int, list[list[str]]] = {}
    keys = frame["record_key"].to_numpy()[beaten["row"].to_numpy()]
    for code, key, value in zip(beaten["golden_code"], keys, beaten["value"], strict=True):
        listed.setdefault(code, []).append([key, value])
    return {code: json.dumps(pairs, ensure_ascii=False, separators=(",", ":")) for code, pairs in listed.items()}


def _any_true(frame: pd.DataFrame, ranked: pd.DataFrame, winners: pd.DataFrame, field: str) -> pd.Series:
    """True where any record with the winning value says true; false where one says false and none true."""
    flags = frame[field].iloc[ranked["row"].to_numpy()].reset_index(drop=True)
    rows = pd.DataFrame({"golden_code": ranked["golden_code"], "value": ranked["value"], "flag": flags})
    rows = rows[rows["flag"].notna()].merge(winners[["golden_code", "value"]], on=["golden_code", "value"])
    said = rows.assign(flag=rows["flag"].astype(bool)).groupby("golden_code")["flag"].max()
    return winners["golden_code"].map(said).astype("object")
