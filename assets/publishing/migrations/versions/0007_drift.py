"""What vendors changed in what they send.

Belongs here: the change of schema. Does not: what the columns mean (tables.py).
"""

import sqlalchemy as sa
from alembic import op
from assets.publishing import tables

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "drift",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("change_kind", sa.Text(), nullable=False),
        sa.Column("found", sa.Text(), nullable=False),
        sa.Column("rows_held", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", tables.Moment(), nullable=False),
        sa.Column("seen_at", tables.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("source", "entity", "field", "change_kind", name=op.f("pk_drift")),
        comment="drift.py: fields that a vendor added, removed, renamed or retyped, and the rows held for it.",
    )
