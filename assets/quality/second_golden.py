"""The second implementation: golden records, what survived in them, and what the law asks for.

Belongs here: pandas over the golden tables. Does not: matching (second_matching.py), HaloPSA (second_publishing.py).
Surprise: written from the sentences of the catalogue and not from the SQL.
"""

from __future__ import annotations

import json
from collections import Counter

import pandas as pd

from assets.quality.second_matching import matching
from assets.quality.second_publishing import operations, publishing
from assets.quality.second_records import FIELDS, Numbers, counted, frame, members
from transforms.contracts import ENTITIES
from transforms.engines.port import Engine
from transforms.kernels.references import ROLE_MAILBOXES


def golden_numbers(engine: Engine) -> Numbers:
    found: Numbers = {}
    live: dict[str, str] = {}
    for entity in ENTITIES:
        fields = tuple(
            name if name != "organisation_key" else "organisation_golden_id" for name in FIELDS[entity].values()
        )
        more = ("region", "notice_date", "phone_do_not_call", "mobile_do_not_call") if entity == "contact" else ()
        golden = frame(engine, f"golden.{entity}", "golden_id", "sources", *fields, *more)
        live |= dict.fromkeys(golden["golden_id"], entity)
        found["golden", entity, "", ""] = (len(golden), None)
        _gaps(entity, golden, fields, found)
        _duplicates(engine, entity, golden, found)
        for sources, n in golden["sources"].value_counts().items():
            found["overlap", entity, "", str(sources)] = (int(n), len(golden))
        matching(engine, entity, found)
        if entity == "contact":
            _privacy(golden, found)
    _survivorship(engine, found)
    publishing(engine, live, found)
    operations(engine, found)
    return found


def _gaps(entity: str, golden: pd.DataFrame, columns: tuple[str, ...], found: Numbers) -> None:
    if golden.empty:
        return
    for field, column in zip(FIELDS[entity], columns, strict=True):
        gaps = (int(golden[column].isna().sum()), len(golden))
        found["missing", entity, "golden", field] = found["not_useful", entity, "golden", field] = gaps


def _duplicates(engine: Engine, entity: str, golden: pd.DataFrame, found: Numbers) -> None:
    def beyond_first(values: pd.Series) -> int:
        return int(values.duplicated().sum())

    told = {"same_linkedin": beyond_first(golden["linkedin_url"].dropna())}
    if entity == "contact":
        email = golden["email"].dropna()
        told["same_email"] = beyond_first(email[~email.str.split("@").str[0].isin(ROLE_MAILBOXES)])
        named = golden[["first_name", "last_name", "organisation_golden_id"]].dropna()
        named = named.assign(first_name=named["first_name"].str.lower(), last_name=named["last_name"].str.lower())
        told["same_name_and_organisation"] = int(named.duplicated().sum())
    else:
        told["same_domain"] = beyond_first(golden["domain"].dropna())
    for kind, n in told.items():
        if n:
            found["duplicate", entity, "", kind] = (n, len(golden))
    held = members(engine, entity, "source")
    again = held[held.duplicated(["source", "golden_id"])]["source"].value_counts()
    for source, n in again.items():
        found["duplicate", entity, str(source), "twice_in_source"] = (int(n), len(golden))


def _survivorship(engine: Engine, found: Numbers) -> None:
    cells = frame(engine, "golden.provenance", "golden_id", "field", "record_key", "rule", "losers")
    cells["entity"] = cells["golden_id"].str.startswith("con").map({True: "contact", False: "organisation"})
    losers = cells["losers"].fillna("[]")
    cells["is_contested"] = losers != "[]"
    cells["is_outvoted"] = False
    contested = cells.index[cells["is_contested"]]
    cells.loc[contested, "is_outvoted"] = [_agree(text) for text in losers[contested]]
    for (entity, field), n in counted(cells, "entity", "field"):
        found["contested", entity, "", field] = found["outvoted", entity, "", field] = (0, n)
    for metric in ("contested", "outvoted"):
        for (entity, field), n in counted(cells[cells[f"is_{metric}"]], "entity", "field"):
            found[metric, entity, "", field] = (int(n), found[metric, entity, "", field][1])
    for (entity, rule), n in counted(cells, "entity", "rule"):
        found["decided_by", str(entity), "", str(rule)] = (int(n), None)
    crosswalk = frame(engine, "golden.crosswalk", "record_key", "golden_id", "entity")
    known = set(zip(crosswalk["record_key"], crosswalk["golden_id"], strict=True))
    won: Counter[tuple[str, str]] = Counter()
    decided = cells[cells["is_contested"] & cells["record_key"].notna()]
    for key, golden_id, entity in zip(decided["record_key"], decided["golden_id"], decided["entity"], strict=True):
        if (key, golden_id) in known:
            won[entity, key.split(":")[0]] += 1
    for (entity, source), n in won.items():
        found["won", entity, source, ""] = (n, None)


def _agree(losers: str) -> bool:
    """Whether two of those that lost said the same."""
    values = [value for _, value in json.loads(losers) if value is not None]
    return len(values) > len(set(values))


def _privacy(golden: pd.DataFrame, found: Numbers) -> None:
    region = golden["region"].fillna("other")
    phone, mobile = golden["phone"].notna(), golden["mobile"].notna()
    masks = {
        "do_not_call": golden["phone_do_not_call"].eq(True) | golden["mobile_do_not_call"].eq(True),
        "do_not_call_unknown": phone & golden["phone_do_not_call"].isna()
        | mobile & golden["mobile_do_not_call"].isna(),
        "notice_due": golden["region"].eq("eu") & golden["notice_date"].isna(),
    }
    for name, rows in region.groupby(region).groups.items():
        found["residents", "contact", "", str(name)] = (len(rows), None)
        numbered = int((phone | mobile).loc[rows].sum())
        for metric, mask in masks.items():
            total = numbered if metric == "do_not_call_unknown" else len(rows)
            found[metric, "contact", "", str(name)] = (int(mask.loc[rows].sum()), total)
