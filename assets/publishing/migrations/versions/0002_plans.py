"""Plans, and what the outbox knows of failures.

Belongs here: the table `plan`, three columns of `outbox`. Does not: their meaning (tables.py).
"""

import sqlalchemy as sa
from alembic import op
from assets.publishing import tables

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "plan",
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("made_at", tables.Moment(), nullable=False),
        sa.Column("expires_at", tables.Moment(), nullable=False),
        sa.Column("counts", tables.JsonText(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("applied_at", tables.Moment(), nullable=True),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("plan_id", name=op.f("pk_plan")),
        comment="plans.py: one row per plan made or run published: what it was for, and whether it is used up.",
    )
    op.add_column("outbox", sa.Column("error_class", sa.Text(), nullable=True))
    op.add_column("outbox", sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("outbox", sa.Column("remedy", sa.Text(), nullable=True))
