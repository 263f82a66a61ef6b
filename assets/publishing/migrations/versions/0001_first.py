"""The first schema of the ledger.

Belongs here: the tables as they were in the first release, spelled out. Does not: their meaning (tables.py).
Surprise: it must never be edited once released; a change of schema is a new file beside it.
"""

import sqlalchemy as sa
from alembic import op
from assets.publishing import tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "commit_log",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("commit_ts", tables.Moment(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("counts", tables.JsonText(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_commit_log")),
        sa.UniqueConstraint("commit_ts", name=op.f("uq_commit_log_commit_ts")),
        comment="commit.py: one row per commit; commit_ts strictly increases, whatever the clock does.",
    )
    op.create_table(
        "credit",
        sa.Column(
            "credit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column("credits", sa.Float(), nullable=False),
        sa.Column("spent_at", tables.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("credit_id", name=op.f("pk_credit")),
        comment="credits.py: what each run bought at each vendor.",
    )
    op.create_index(op.f("ix_credit_source"), "credit", ["source"], unique=False)
    op.create_table(
        "crosswalk",
        sa.Column("golden_id", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("halo_id", sa.BigInteger(), nullable=False),
        sa.Column("published", tables.JsonText(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("is_retired_by_us", sa.Boolean(), nullable=False),
        sa.Column("is_stamped", sa.Boolean(), nullable=False),
        sa.Column("linked_at", tables.Moment(), nullable=False),
        sa.Column("updated_at", tables.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("golden_id", "resource", name=op.f("pk_crosswalk")),
        sa.UniqueConstraint("resource", "halo_id", name=op.f("uq_crosswalk_resource_halo_id")),
        comment="crosswalk.py: which HaloPSA record a golden record is, and what we last published there.",
    )
    op.create_table(
        "effect",
        sa.Column(
            "effect_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("golden_id", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("halo_id", sa.BigInteger(), nullable=True),
        sa.Column("fields", tables.JsonText(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("sent_at", tables.Moment(), nullable=False),
        sa.Column("settled_at", tables.Moment(), nullable=True),
        sa.PrimaryKeyConstraint("effect_id", name=op.f("pk_effect")),
        comment="effects.py: one row per write to HaloPSA: sending, acked, rejected, unknown or absent.",
    )
    op.create_index(op.f("ix_effect_golden_id"), "effect", ["golden_id"], unique=False)
    op.create_index(op.f("ix_effect_state"), "effect", ["state"], unique=False)
    op.create_table(
        "golden_id",
        sa.Column("golden_id", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("golden_id", name=op.f("pk_golden_id")),
        comment="registry.py: every golden id ever given, so that none is given twice; first_seq is its age.",
    )
    op.create_index(op.f("ix_golden_id_entity"), "golden_id", ["entity"], unique=False)
    op.create_table(
        "head",
        sa.Column("golden_id", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("is_live", sa.Boolean(), nullable=False),
        sa.Column("content", tables.JsonText(), nullable=True),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("updated_at", tables.Moment(), nullable=False),
        sa.Column("sources", sa.Text(), nullable=False),
        sa.Column("sources_ever", sa.Text(), nullable=False),
        sa.Column("parent_golden_id", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("other_id", sa.Text(), nullable=True),
        sa.Column("wire_rank", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("golden_id", name=op.f("pk_head")),
        comment="heads.py: newest state of each golden record, also as the feed tells it; retired ones keep no "
        "content.",
    )
    op.create_index(op.f("ix_head_entity_is_live_golden_id"), "head", ["entity", "is_live", "golden_id"], unique=False)
    op.create_index(op.f("ix_head_parent_golden_id"), "head", ["parent_golden_id"], unique=False)
    op.create_index(op.f("ix_head_wire_rank_seq_golden_id"), "head", ["wire_rank", "seq", "golden_id"], unique=False)
    op.create_table(
        "lineage",
        sa.Column("golden_id", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("other_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", tables.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("golden_id", "event", "other_id", name=op.f("pk_lineage")),
        comment="registry.py: one row per event in the life of a golden id.",
    )
    op.create_table(
        "mark",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_mark")),
        comment="ledger.py: one row per counter that must never go back (the stamp clock, fencing numbers).",
    )
    op.create_table(
        "mirror",
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("halo_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=True),
        sa.Column("site_id", sa.BigInteger(), nullable=True),
        sa.Column("golden_id", sa.Text(), nullable=True),
        sa.Column("is_inactive", sa.Boolean(), nullable=False),
        sa.Column("is_general", sa.Boolean(), nullable=False),
        sa.Column("fields", tables.JsonText(), nullable=False),
        sa.Column("seen_at", tables.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("resource", "halo_id", name=op.f("pk_mirror")),
        comment="mirror.py: what HaloPSA holds now, as far as we know: the last walk, and its answers to us since.",
    )
    op.create_index(op.f("ix_mirror_golden_id"), "mirror", ["golden_id"], unique=False)
    op.create_index(op.f("ix_mirror_resource_client_id"), "mirror", ["resource", "client_id"], unique=False)
    op.create_table(
        "model",
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("body", tables.JsonText(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("stored_at", tables.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("entity", "version", name=op.f("pk_model")),
        comment="models.py: everything learned for matching; never changed in place.",
    )
    op.create_table(
        "outbox",
        sa.Column("golden_id", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("settled_at", tables.Moment(), nullable=True),
        sa.PrimaryKeyConstraint("golden_id", name=op.f("pk_outbox")),
        comment="outbox.py: one row per golden record: is its newest version in HaloPSA, and if not, why not.",
    )
    op.create_index(
        op.f("ix_outbox_entity_action_state_golden_id"),
        "outbox",
        ["entity", "action", "state", "golden_id"],
        unique=False,
    )
    op.create_table(
        "registry",
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("record_key", sa.Text(), nullable=False),
        sa.Column("golden_id", sa.Text(), nullable=False),
        sa.Column("since", tables.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("entity", "record_key", name=op.f("pk_registry")),
        comment="registry.py: the golden id each source record belonged to; kept when a record goes.",
    )
    op.create_index(op.f("ix_registry_golden_id"), "registry", ["golden_id"], unique=False)
    op.create_table(
        "run",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started_at", tables.Moment(), nullable=False),
        sa.Column("ended_at", tables.Moment(), nullable=True),
        sa.Column("summary", tables.JsonText(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_run")),
        comment="runs.py: one row per run: begun, then done, partial, held or failed.",
    )
    op.create_table(
        "walk",
        sa.Column("stamp", tables.Moment(), nullable=False),
        sa.Column("position", tables.JsonText(), nullable=False),
        sa.PrimaryKeyConstraint("stamp", name=op.f("pk_walk")),
        comment="feed.py: where a walk that is not finished stands, for pollers that echo only last_sync.",
    )
    op.create_table(
        "change_log",
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("golden_id", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("change_kind", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["seq"], ["commit_log.seq"], name=op.f("fk_change_log_seq")),
        sa.PrimaryKeyConstraint("seq", "golden_id", name=op.f("pk_change_log")),
        comment="commit.py: append-only; one row per change of a golden record, without its content.",
    )
    op.create_index(op.f("ix_change_log_golden_id"), "change_log", ["golden_id"], unique=False)
