"""What the HTTP service keeps besides: subscriptions, freshness of sources, prospects, acts of administration.

Belongs here: the change of schema. Does not: what the tables mean (tables.py).
Surprise: the signing secrets of subscriptions are kept as they are, for a digest cannot sign.
"""

import sqlalchemy as sa
from alembic import op
from assets.publishing import tables

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "hook",
        sa.Column("hook_id", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=True),
        sa.Column("place", tables.JsonText(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", tables.Moment(), nullable=False),
        sa.Column("delivered_at", tables.Moment(), nullable=True),
        sa.Column("created_at", tables.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("hook_id", name=op.f("pk_hook")),
        comment="hooks.py: who is told of changes by webhook, how far each was told, and when the next try is due.",
    )
    op.create_index(op.f("ix_hook_owner"), "hook", ["owner"], unique=False)
    op.create_index(op.f("ix_hook_state_due_at"), "hook", ["state", "due_at"], unique=False)
    op.create_table(
        "freshness",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("read_at", tables.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_freshness")),
        comment="freshness.py: when each source was last read without trouble.",
    )
    op.create_table(
        "prospect",
        sa.Column("golden_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("golden_id", name=op.f("pk_prospect")),
        comment="prospects.py: organisations that the feed tells as prospects, since HaloPSA lacks them.",
    )
    op.create_table(
        "audit",
        sa.Column("audit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", tables.Moment(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("pk_audit")),
        comment="audit.py: append-only; acts of those who run halosync, each row sealed by the hash of the one before.",
    )
