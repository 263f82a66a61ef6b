"""Alembic's entry: runs the migrations on the connection that `Ledger.migrate` hands over.

Belongs here: only the wiring. Does not: connection settings (ledger.py), the steps themselves (versions/).
Surprise: all steps run in the caller's one transaction, so a killed migration leaves the old schema untouched.
"""

from alembic import context
from assets.publishing.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    transaction_per_migration=False,
)
context.run_migrations()
