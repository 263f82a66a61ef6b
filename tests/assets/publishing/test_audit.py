"""S16: each act of administration leaves a row, and one edited byte of any is found."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from assets.publishing import audit, hooks, keys


@pytest.fixture
def administered(house):
    """A house in which four acts were done."""
    made = keys.add(house.ledger, house.clock, name="n8n", scopes=["feed:read", "hooks:write"])
    hook, _ = hooks.add(
        house.ledger, house.clock, owner="n8n", url="https://x.test/in?token=abc", entity=None, is_from_start=False
    )
    hooks.remove(house.ledger, house.clock, hook.hook_id, by="n8n")
    keys.revoke(house.ledger, house.clock, made.split("_")[1])
    return house


def execute(house, statement: str, value=None):
    with house.ledger.transaction() as connection:
        return connection.execute(sa.text(statement), {"value": value} if value is not None else {})


def test_every_act_is_told_with_its_actor_and_no_secret(administered):
    with administered.ledger.read() as connection:
        rows = connection.exec_driver_sql("select actor, act, subject from audit order by audit_id").all()

    assert [row[1] for row in rows] == ["key added", "subscribed", "unsubscribed", "key revoked"]
    assert [row[0] for row in rows] == [audit.operator(), "key n8n", "key n8n", audit.operator()]
    assert "abc" not in str(rows)
    assert audit.verify(administered.ledger) == []


@pytest.mark.parametrize("column", ["at", "actor", "act", "subject", "previous", "hash"])
@pytest.mark.parametrize("row", [1, 2, 4])
def test_one_edited_byte_is_found(administered, column, row):
    with administered.ledger.read() as connection:
        before = connection.scalar(sa.text(f"select {column} from audit where audit_id = {row}"))
    other = before + 1 if column == "at" else before[:-1] + ("x" if before[-1] != "x" else "y")

    execute(administered, f"update audit set {column} = :value where audit_id = {row}", other)

    assert audit.verify(administered.ledger)


@pytest.mark.parametrize("removed", [1, 3, 4])
def test_a_removed_row_is_found_the_last_one_too(administered, removed):
    execute(administered, "delete from audit where audit_id = :value", removed)

    assert audit.verify(administered.ledger)


def test_rows_made_anew_without_the_key_are_found(administered):
    """Whoever can write to the ledger alone cannot mend the chain behind an edit."""
    forged = audit._seal(b"another key", "0" * 64, administered.clock.now(), "nobody", "key added", "x")
    execute(administered, "delete from audit where audit_id > 1")
    execute(administered, "update audit set actor = 'nobody', act = 'key added', subject = 'x'")
    execute(administered, "update audit set hash = :value", forged)
    execute(administered, f"update mark set value = 1 where name = '{audit.LENGTH_MARK}'")

    assert audit.verify(administered.ledger) == ["row 1 was altered"]
