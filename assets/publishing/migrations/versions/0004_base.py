"""What an update wrote over, so that an edit which it crossed can be found and given back.

Belongs here: the change of schema. Does not: what the column means (tables.py), the search (overwritten.py).
Surprise: older effects have no base, so nothing is looked for behind them.
"""

import sqlalchemy as sa
from alembic import op
from assets.publishing import tables

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("effect", sa.Column("base", tables.JsonText(), nullable=True))
