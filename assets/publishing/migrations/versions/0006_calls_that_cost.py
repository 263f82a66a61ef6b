"""A row of the credit ledger for each call that may cost something, and which vendors a question was put to.

Belongs here: the change of schema. Does not: what the columns mean (tables.py).
Surprise: rows of older releases are totals of a run; they count as settled.
"""

import sqlalchemy as sa
from alembic import op
from assets.publishing import tables

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("credit", sa.Column("reserved", sa.Float(), server_default="0", nullable=False))
    op.add_column("credit", sa.Column("state", sa.Text(), server_default="settled", nullable=False))
    op.add_column("credit", sa.Column("asked", tables.JsonText(), nullable=True))
    op.add_column("credit", sa.Column("balance", sa.Float(), nullable=True))
    op.add_column("credit", sa.Column("settled_at", tables.Moment(), nullable=True))
    op.create_index(op.f("ix_credit_source_spent_at"), "credit", ["source", "spent_at"], unique=False)
    if op.get_bind().dialect.supports_comments:
        op.create_table_comment(
            "credit", "credits.py: each call that may cost credits: set aside before it left, settled by its answer."
        )
    op.add_column("enrichment", sa.Column("tried", tables.JsonText(), nullable=True))
