"""What the HTTP service keeps: API keys, inbox, questions, an index of heads, an index of the places of walks.

Belongs here: the change of schema. Does not: what the tables mean (tables.py).
Surprise: the index is not unique, since places were stored once for each poller before.
"""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op
from assets.publishing import lookup, tables, wire

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "api_key",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", tables.Moment(), nullable=False),
        sa.Column("revoked_at", tables.Moment(), nullable=True),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_api_key")),
        comment="keys.py: who may ask the HTTP service for what; digests only, never a key.",
    )
    op.create_index(op.f("ix_api_key_name"), "api_key", ["name"], unique=False)
    op.create_index(op.f("ix_walk_position"), "walk", ["position"], unique=False)
    op.create_table(
        "inbox",
        sa.Column("inbox_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("hints", tables.JsonText(), nullable=False),
        sa.Column("received_at", tables.Moment(), nullable=False),
        sa.Column("settled_at", tables.Moment(), nullable=True),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("inbox_id", name=op.f("pk_inbox")),
        sa.UniqueConstraint("source", "delivery_id", name=op.f("uq_inbox_source_delivery_id")),
        comment="inbox.py: webhooks as hints where to look; delivery ids are known for 30 days, payloads never kept.",
    )
    op.create_index(op.f("ix_inbox_received_at"), "inbox", ["received_at"], unique=False)
    op.create_index(op.f("ix_inbox_settled_at"), "inbox", ["settled_at"], unique=False)
    op.create_table(
        "lookup",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("golden_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "value", "golden_id", name=op.f("pk_lookup")),
        comment="lookup.py: which live golden records have this domain, name or e-mail.",
    )
    op.create_index(op.f("ix_lookup_golden_id"), "lookup", ["golden_id"], unique=False)
    op.create_table(
        "enrichment",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("halo_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("golden_id", sa.Text(), nullable=True),
        sa.Column("asked_at", tables.Moment(), nullable=False),
        sa.Column("settled_at", tables.Moment(), nullable=True),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_enrichment")),
        comment="enrichment.py: questions of a helpdesk that no golden record answered yet, and what became of them.",
    )
    op.create_index(op.f("ix_enrichment_state"), "enrichment", ["state"], unique=False)
    op.add_column("head", sa.Column("wire", sa.Text()))
    _complete_heads()


def _complete_heads() -> None:
    """Golden records that were committed before: their record on the wire, and the index of them."""
    names = ("golden_id", "entity", "is_live", "content", "parent_golden_id", "reason", "other_id", "wire")
    heads = sa.table("head", *(sa.column(name) for name in names))
    parent = heads.alias("parent")
    query = sa.select(heads, parent.c.content.label("parent_content")).outerjoin(
        parent, heads.c.parent_golden_id == parent.c.golden_id
    )
    told = sa.update(heads).where(heads.c.golden_id == sa.bindparam("of_id")).values(wire=sa.bindparam("told"))
    connection = op.get_bind()
    for some in connection.execute(query).partitions(5_000):
        rows = [{**row._asdict(), "content": json.loads(row.content) if row.content else None} for row in some]
        lookup.renew(connection, rows)
        connection.execute(told, [{"of_id": row["golden_id"], "told": _told(row)} for row in rows])


def _told(row: dict[str, Any]) -> str:
    return wire.text(
        golden_id=row["golden_id"],
        entity=row["entity"],
        content=row["content"],
        organisation_name=json.loads(row["parent_content"] or "{}").get("name"),
        reason=row["reason"],
        merged_into=row["other_id"],
    )
