"""What trustworthy publishing keeps: the chain of effects, plans, the work list, the rate window, errors of records.

Belongs here: the change of schema. Does not: what the tables mean (tables.py).
Surprise: source records known before count as present; the next run says which of them are gone.
"""

import sqlalchemy as sa
from alembic import op
from assets.publishing import tables

revision = "0002"
down_revision = "0001"

_COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("registry", sa.Column("is_present", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("outbox", sa.Column("error_class", sa.Text()))
    op.add_column("outbox", sa.Column("remedy", sa.Text()))
    op.add_column("outbox", sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "effect_event",
        sa.Column("event_id", _COUNTER, autoincrement=True, nullable=False),
        sa.Column("effect_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at", tables.Moment(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_effect_event")),
        comment="chain.py: append-only; every state an effect went through, each row sealed by the hash of the one "
        "before.",
    )
    op.create_index(op.f("ix_effect_event_effect_id"), "effect_event", ["effect_id"], unique=False)
    op.create_table(
        "plan",
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("made_at", tables.Moment(), nullable=False),
        sa.Column("expires_at", tables.Moment(), nullable=False),
        sa.Column("counts", tables.JsonText(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("applied_at", tables.Moment()),
        sa.Column("run_id", sa.Text()),
        sa.PrimaryKeyConstraint("plan_id", name=op.f("pk_plan")),
        comment="plans.py: every plan that was made, by its digest, so that none is applied twice; runs too.",
    )
    op.create_table(
        "work_item",
        sa.Column("item_id", _COUNTER, autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("golden_id", sa.Text()),
        sa.Column("resource", sa.Text()),
        sa.Column("halo_id", sa.BigInteger()),
        sa.Column("other_halo_id", sa.BigInteger()),
        sa.Column("field", sa.Text()),
        sa.Column("detail", tables.JsonText()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("opened_at", tables.Moment(), nullable=False),
        sa.Column("closed_at", tables.Moment()),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_work_item")),
        comment="work.py: what a person has to settle in HaloPSA or at a source; open until a run finds it settled.",
    )
    op.create_index(op.f("ix_work_item_golden_id"), "work_item", ["golden_id"], unique=False)
    op.create_index(op.f("ix_work_item_state_kind"), "work_item", ["state", "kind"], unique=False)
    op.create_table(
        "call",
        sa.Column("call_id", _COUNTER, autoincrement=True, nullable=False),
        sa.Column("api", sa.Text(), nullable=False),
        sa.Column("at", tables.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_call")),
        comment="calls.py: calls in the running rate window, shared by all workers and kept over restarts.",
    )
    op.create_index(op.f("ix_call_api_at"), "call", ["api", "at"], unique=False)
