"""The ledger's tables: all that cannot be recomputed from the sources.

Belongs here: tables, their comments, and the two column types that make them portable.
Does not: how a table gets into a file (migrations/), who reads or writes it (the module named in its comment).
Surprise: the change log holds no values. Content lives once, in `head`, so that erasing a person never has to rewrite
an append-only log; the feed only ever sends the newest state of an entity.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class Moment(sa.types.TypeDecorator[datetime]):
    """An aware UTC datetime kept as whole microseconds since 1970: exact and sortable on every database."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> int | None:
        return None if value is None else micros(value)

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else from_micros(value)


class JsonText(sa.types.TypeDecorator[Any]):
    """JSON as text, keys in the order they were given, so that a stored record reads like the wire."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:
        return None if value is None else _COMPACT.encode(value)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Any:
        return None if value is None else json.loads(value)


def stored(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """A column as the database holds it, without decoding."""
    kind = column.type.impl_instance if isinstance(column.type, sa.types.TypeDecorator) else column.type
    return sa.type_coerce(column, kind).label(column.name)


def micros(moment: datetime) -> int:
    """Whole microseconds since 1970; a naive datetime is refused, never guessed."""
    if moment.tzinfo is None:
        raise ValueError(f"naive datetime {moment.isoformat()}: the ledger takes moments with an offset only")
    return (moment - EPOCH) // timedelta(microseconds=1)


def from_micros(value: int) -> datetime:
    return EPOCH + timedelta(microseconds=value)


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)

# SQLite counts up by itself only for a column spelled INTEGER; PostgreSQL wants bigint.
_COUNTER = sa.BigInteger().with_variant(sa.Integer, "sqlite")

mark = sa.Table(
    "mark",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
    comment="ledger.py: one row per counter that must never go back (the stamp clock, fencing numbers).",
)

commit_log = sa.Table(
    "commit_log",
    metadata,
    sa.Column("seq", _COUNTER, primary_key=True, autoincrement=True),
    sa.Column("commit_ts", Moment, nullable=False, unique=True),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("counts", JsonText, nullable=False),
    comment="commit.py: one row per commit; commit_ts strictly increases, whatever the clock does.",
)

golden_id = sa.Table(
    "golden_id",
    metadata,
    sa.Column("golden_id", sa.Text, primary_key=True),
    sa.Column("entity", sa.Text, nullable=False, index=True),
    sa.Column("first_seq", sa.BigInteger, nullable=False),
    comment="registry.py: every golden id ever given, so that none is given twice; first_seq is its age.",
)

registry = sa.Table(
    "registry",
    metadata,
    sa.Column("entity", sa.Text, primary_key=True),
    sa.Column("record_key", sa.Text, primary_key=True),
    sa.Column("golden_id", sa.Text, nullable=False, index=True),
    sa.Column("since", Moment, nullable=False),
    sa.Column("is_present", sa.Boolean, nullable=False, server_default=sa.true()),
    comment="registry.py: the golden id each source record belonged to; kept when a record goes.",
)

lineage = sa.Table(
    "lineage",
    metadata,
    sa.Column("golden_id", sa.Text, primary_key=True),
    sa.Column("event", sa.Text, primary_key=True),
    sa.Column("other_id", sa.Text, primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("at", Moment, nullable=False),
    comment="registry.py: one row per event in the life of a golden id.",
)

head = sa.Table(
    "head",
    metadata,
    sa.Column("golden_id", sa.Text, primary_key=True),
    sa.Column("entity", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("is_live", sa.Boolean, nullable=False),
    sa.Column("content", JsonText),
    sa.Column("content_hash", sa.Text, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Column("sources", sa.Text, nullable=False),
    sa.Column("sources_ever", sa.Text, nullable=False),
    sa.Column("parent_golden_id", sa.Text, index=True),
    sa.Column("reason", sa.Text),
    sa.Column("other_id", sa.Text),
    sa.Column("wire", sa.Text),
    sa.Column("wire_rank", sa.Integer, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Index(None, "wire_rank", "seq", "golden_id"),
    sa.Index(None, "entity", "is_live", "golden_id"),
    comment="heads.py: newest state of each golden record, also as the feed tells it; retired ones keep no content.",
)

change_log = sa.Table(
    "change_log",
    metadata,
    sa.Column("seq", sa.BigInteger, sa.ForeignKey("commit_log.seq"), primary_key=True),
    sa.Column("golden_id", sa.Text, primary_key=True),
    sa.Column("entity", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("change_kind", sa.Text, nullable=False),
    sa.Column("content_hash", sa.Text, nullable=False),
    sa.Index(None, "golden_id"),
    comment="commit.py: append-only; one row per change of a golden record, without its content.",
)

walk = sa.Table(
    "walk",
    metadata,
    sa.Column("stamp", Moment, primary_key=True),
    sa.Column("position", JsonText, nullable=False, index=True),
    comment="feed.py: where a walk that is not finished stands, for pollers that echo only last_sync.",
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("golden_id", sa.Text, primary_key=True),
    sa.Column("entity", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("error_class", sa.Text),
    sa.Column("remedy", sa.Text),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("settled_at", Moment),
    sa.Index(None, "entity", "action", "state", "golden_id"),
    comment="outbox.py: one row per golden record: is its newest version in HaloPSA, and if not, why not.",
)

effect = sa.Table(
    "effect",
    metadata,
    sa.Column("effect_id", _COUNTER, primary_key=True, autoincrement=True),
    sa.Column("golden_id", sa.Text, nullable=False, index=True),
    sa.Column("entity", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("resource", sa.Text, nullable=False),
    sa.Column("operation", sa.Text, nullable=False),
    sa.Column("halo_id", sa.BigInteger),
    sa.Column("fields", JsonText, nullable=False),
    sa.Column("state", sa.Text, nullable=False, index=True),
    sa.Column("fence", sa.BigInteger, nullable=False),
    sa.Column("status", sa.Integer),
    sa.Column("message", sa.Text),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("sent_at", Moment, nullable=False),
    sa.Column("settled_at", Moment),
    sa.Column("base", JsonText),  # last, and without a value where there is none: chain.py seals rows as they are
    comment="effects.py: one row per write to HaloPSA: sending, acked, rejected, unknown or absent.",
)

effect_event = sa.Table(
    "effect_event",
    metadata,
    sa.Column("event_id", _COUNTER, primary_key=True, autoincrement=True),
    sa.Column("effect_id", sa.BigInteger, nullable=False, index=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("fence", sa.BigInteger, nullable=False),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    comment="chain.py: append-only; every state an effect went through, each row sealed by the hash of the one before.",
)

plan = sa.Table(
    "plan",
    metadata,
    sa.Column("plan_id", sa.Text, primary_key=True),
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("counts", JsonText, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("applied_at", Moment),
    sa.Column("run_id", sa.Text),
    comment="plans.py: every plan that was made, by its digest, so that none is applied twice; runs too.",
)

work_item = sa.Table(
    "work_item",
    metadata,
    sa.Column("item_id", _COUNTER, primary_key=True, autoincrement=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("golden_id", sa.Text, index=True),
    sa.Column("resource", sa.Text),
    sa.Column("halo_id", sa.BigInteger),
    sa.Column("other_halo_id", sa.BigInteger),
    sa.Column("field", sa.Text),
    sa.Column("detail", JsonText),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("opened_at", Moment, nullable=False),
    sa.Column("closed_at", Moment),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Index(None, "state", "kind"),
    comment="work.py: what a person has to settle in HaloPSA or at a source; open until a run finds it settled.",
)

call = sa.Table(
    "call",
    metadata,
    sa.Column("call_id", _COUNTER, primary_key=True, autoincrement=True),
    sa.Column("api", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Index(None, "api", "at"),
    comment="calls.py: calls in the running rate window, shared by all workers and kept over restarts.",
)

crosswalk = sa.Table(
    "crosswalk",
    metadata,
    sa.Column("golden_id", sa.Text, primary_key=True),
    sa.Column("resource", sa.Text, primary_key=True),
    sa.Column("halo_id", sa.BigInteger, nullable=False),
    sa.Column("published", JsonText, nullable=False),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("is_retired_by_us", sa.Boolean, nullable=False),
    sa.Column("is_stamped", sa.Boolean, nullable=False),
    sa.Column("linked_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.UniqueConstraint("resource", "halo_id"),
    comment="crosswalk.py: which HaloPSA record a golden record is, and what we last published there.",
)

mirror = sa.Table(
    "mirror",
    metadata,
    sa.Column("resource", sa.Text, primary_key=True),
    sa.Column("halo_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("client_id", sa.BigInteger),
    sa.Column("site_id", sa.BigInteger),
    sa.Column("golden_id", sa.Text, index=True),
    sa.Column("is_inactive", sa.Boolean, nullable=False),
    sa.Column("is_general", sa.Boolean, nullable=False),
    sa.Column("fields", JsonText, nullable=False),
    sa.Column("seen_at", Moment, nullable=False),
    sa.Index(None, "resource", "client_id"),
    comment="mirror.py: what HaloPSA holds now, as far as we know: the last walk, and its answers to us since.",
)

model = sa.Table(
    "model",
    metadata,
    sa.Column("entity", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("body", JsonText, nullable=False),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("stored_at", Moment, nullable=False),
    comment="models.py: everything learned for matching; never changed in place.",
)

run = sa.Table(
    "run",
    metadata,
    sa.Column("run_id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
    sa.Column("summary", JsonText),
    comment="runs.py: one row per run: begun, then done, partial, held or failed.",
)

credit = sa.Table(
    "credit",
    metadata,
    sa.Column("credit_id", _COUNTER, primary_key=True, autoincrement=True),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False, index=True),
    sa.Column("entity", sa.Text, nullable=False),
    sa.Column("records", sa.BigInteger, nullable=False),
    sa.Column("credits", sa.Float, nullable=False),
    sa.Column("spent_at", Moment, nullable=False),
    sa.Column("reserved", sa.Float, nullable=False, server_default="0"),
    sa.Column("state", sa.Text, nullable=False, server_default="settled"),
    sa.Column("asked", JsonText),
    sa.Column("balance", sa.Float),
    sa.Column("settled_at", Moment),
    sa.Index(None, "source", "spent_at"),
    comment="credits.py: each call that may cost credits: set aside before it left, settled by its answer.",
)

api_key = sa.Table(
    "api_key",
    metadata,
    sa.Column("key_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, index=True),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("scopes", sa.Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("revoked_at", Moment),
    comment="keys.py: who may ask the HTTP service for what; digests only, never a key.",
)

inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("inbox_id", _COUNTER, primary_key=True, autoincrement=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("delivery_id", sa.Text, nullable=False),
    sa.Column("hints", JsonText, nullable=False),
    sa.Column("received_at", Moment, nullable=False, index=True),
    sa.Column("settled_at", Moment, index=True),
    sa.Column("run_id", sa.Text),
    sa.UniqueConstraint("source", "delivery_id"),
    comment="inbox.py: webhooks as hints where to look; delivery ids are known for 30 days, payloads never kept.",
)

lookup = sa.Table(
    "lookup",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, primary_key=True),
    sa.Column("golden_id", sa.Text, primary_key=True, index=True),
    comment="lookup.py: which live golden records have this domain, name or e-mail.",
)

enrichment = sa.Table(
    "enrichment",
    metadata,
    sa.Column("job_id", sa.Text, primary_key=True),
    sa.Column("entity", sa.Text, nullable=False),
    sa.Column("domain", sa.Text),
    sa.Column("name", sa.Text),
    sa.Column("email", sa.Text),
    sa.Column("halo_id", sa.Text),
    sa.Column("state", sa.Text, nullable=False, index=True),
    sa.Column("golden_id", sa.Text),
    sa.Column("asked_at", Moment, nullable=False),
    sa.Column("settled_at", Moment),
    sa.Column("tried", JsonText),
    comment="enrichment.py: questions of a helpdesk that no golden record answered yet, and what became of them.",
)

hook = sa.Table(
    "hook",
    metadata,
    sa.Column("hook_id", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False, index=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("secret", sa.Text, nullable=False),
    sa.Column("entity", sa.Text),
    sa.Column("place", JsonText, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Column("due_at", Moment, nullable=False),
    sa.Column("delivered_at", Moment),
    sa.Column("created_at", Moment, nullable=False),
    sa.Index(None, "state", "due_at"),
    comment="hooks.py: who is told of changes by webhook, how far each was told, and when the next try is due.",
)

freshness = sa.Table(
    "freshness",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("read_at", Moment, nullable=False),
    comment="freshness.py: when each source was last read without trouble.",
)

prospect = sa.Table(
    "prospect",
    metadata,
    sa.Column("golden_id", sa.Text, primary_key=True),
    comment="prospects.py: organisations that the feed tells as prospects, since HaloPSA lacks them.",
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("audit_id", _COUNTER, primary_key=True, autoincrement=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("act", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    comment="audit.py: append-only; acts of those who run halosync, each row sealed by the hash of the one before.",
)
