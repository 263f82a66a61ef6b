"""What the HTTP service keeps in the ledger: API keys and the inbox; and the places of walks can be found by place.

Belongs here: the change of schema. Does not: what the tables mean (tables.py).
Surprise: the index is not unique, since places were stored once for each poller before.
"""

import sqlalchemy as sa
from alembic import op
from assets.publishing import tables

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
