"""F28: whatever release meets whatever ledger, it opens with all that it holds, or refuses with a remedy."""

from __future__ import annotations

import hashlib
import hmac
import json
import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from test_ledger_deaths import brought_to, exit_code, killed_at

from assets.publishing import chain, tables
from assets.publishing.ledger import MIGRATIONS, Ledger, LedgerError
from assets.publishing.tables import EPOCH, micros

REVISIONS = sorted(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("0*.py"))
OLDER = REVISIONS[:-1]
# An effect as releases before 0004 wrote it, in the order of its columns then.
EFFECT = {
    "effect_id": 1, "golden_id": "org_acme", "entity": "organisation", "version": 1, "resource": "Client",
    "operation": "create", "halo_id": 7, "fields": '{"name":"Acme Ltd"}', "state": "acked", "fence": 1, "status": 201,
    "message": "", "run_id": "run-1", "sent_at": micros(EPOCH), "settled_at": micros(EPOCH),
}  # fmt: skip

pytestmark = pytest.mark.one_store


def migrations_up_to(revision: str, folder: Path) -> Path:
    """The migrations that the release of `revision` came with."""
    shutil.copytree(MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (folder / "versions").glob("0*.py"):
        if path.name.split("_")[0] > revision:
            path.unlink()
    return folder


def made_by_release(path: Path, revision: str) -> None:
    """A ledger as the release of `revision` left it: a golden record, and a sealed effect where it knew seals."""
    with brought_to(path, revision) as connection:
        connection.execute(
            sa.text(
                "insert into head (golden_id, entity, version, is_live, content, content_hash, updated_at, sources, "
                "sources_ever, wire_rank, seq) values ('org_acme', 'organisation', 1, 1, '{\"name\":\"Acme Ltd\"}', 'h', 0, "
                "'apollo', 'apollo', 0, 1)"
            )
        )
        names = ", ".join(EFFECT)
        connection.execute(sa.text(f"insert into effect ({names}) values (:{', :'.join(EFFECT)})"), EFFECT)
        if revision >= "0002":
            key = chain._key_at(path.with_name(chain.KEY_FILE))
            digest = hmac.new(key, json.dumps(list(EFFECT.values())).encode(), hashlib.sha256).hexdigest()
            seal = ["0" * 64, 1, "acked", 0, 1, "run-1", digest]
            sealed = hashlib.sha256(json.dumps(seal).encode()).hexdigest()
            connection.execute(
                sa.text(
                    "insert into effect_event (effect_id, state, at, fence, run_id, digest, previous, hash) "
                    "values (1, 'acked', 0, 1, 'run-1', :digest, :previous, :hash)"
                ),
                {"digest": digest, "previous": "0" * 64, "hash": sealed},
            )
            connection.execute(sa.text("insert into mark (name, value) values ('chain_length', 1)"))


@pytest.mark.parametrize("revision", OLDER)
def test_f28_a_ledger_of_any_older_release_opens_with_all_it_holds(tmp_path, revision):
    made_by_release(tmp_path / "ledger.sqlite", revision)

    ledger = Ledger.open(tmp_path / "ledger.sqlite")

    with ledger.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []
        assert connection.scalars(sa.select(tables.head.c.content)).all() == [{"name": "Acme Ltd"}]
        assert connection.scalars(sa.select(tables.effect.c.fields)).all() == [{"name": "Acme Ltd"}]
    verdict = chain.verify(ledger)
    assert (verdict.problems, verdict.events) == ([], 0 if revision == "0001" else 1)


@pytest.mark.parametrize("revision", OLDER)
def test_f28_an_older_release_refuses_a_newer_ledger_with_a_remedy_and_changes_nothing(tmp_path, monkeypatch, revision):
    """There is no way back: a downgrade would drop what the older release cannot keep. The backup is the way back."""
    path = tmp_path / "ledger.sqlite"
    made_by_release(path, OLDER[-1])
    Ledger.open(path).close()
    before = path.read_bytes()

    monkeypatch.setattr("assets.publishing.ledger.MIGRATIONS", migrations_up_to(revision, tmp_path / "older"))
    with pytest.raises(LedgerError, match="Install that one, or restore a backup"):
        Ledger.open(path)

    assert path.read_bytes() == before
    monkeypatch.undo()
    Ledger.open(path).close()


@pytest.mark.parametrize("statement", [0, 3, 6, 9])
def test_f28_after_an_upgrade_that_was_killed_the_older_release_opens_too(tmp_path, monkeypatch, statement):
    """So an upgrade that fails can be taken back by installing the release of before."""
    path = tmp_path / "ledger.sqlite"
    made_by_release(path, OLDER[-1])

    ended = exit_code(killed_at(path, statement))

    if ended != 0:
        monkeypatch.setattr("assets.publishing.ledger.MIGRATIONS", migrations_up_to(OLDER[-1], tmp_path / "older"))
    ledger = Ledger.open(path)
    with ledger.read() as connection:
        version = connection.scalar(sa.text("select version_num from alembic_version"))
        assert connection.scalar(sa.text("select count(*) from effect")) == 1
    assert version == (REVISIONS[-1] if ended == 0 else OLDER[-1])


def test_f28_no_migration_promises_a_way_back_that_it_has_not():
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    scripts = list(ScriptDirectory.from_config(config).walk_revisions())

    assert [script.revision for script in scripts] == REVISIONS[::-1]
    assert not [script.revision for script in scripts if hasattr(script.module, "downgrade")]
