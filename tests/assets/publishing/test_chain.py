"""Promises of the hash chain: every state of an effect is sealed, and one edited byte is found wherever it is."""

from __future__ import annotations

import re
import stat

import pytest
import sqlalchemy as sa
from publishing_house import Died, House, contact, organisation

from assets.publishing import chain
from assets.publishing.effects import FAILPOINTS
from assets.publishing.ledger import LedgerError
from assets.publishing.tables import effect_event

ACME = organisation("org_acme", "Acme Ltd")
_COPIED = "golden_id, entity, version, resource, operation, fields, state, fence, run_id, sent_at"
ANN = contact("con_ann", "Ann", "Lee", "org_acme")


@pytest.fixture
def published(tmp_path) -> House:
    house = House(tmp_path / "house")
    house.commit(ACME, ANN)
    house.publish()
    house.commit({**ANN, "job_title": "Owner"})
    house.publish()
    return house


def test_every_state_of_every_effect_is_sealed(published):
    found = chain.verify(published.ledger)

    assert found.is_whole, found.problems
    query = sa.select(effect_event.c.effect_id, effect_event.c.state).order_by(effect_event.c.event_id)
    with published.ledger.read() as connection:
        states = [tuple(row) for row in connection.execute(query)]
    assert sorted(states) == [(one, state) for one in (1, 2, 3) for state in ("acked", "sending")]
    assert all(states.index((one, "sending")) < states.index((one, "acked")) for one in (1, 2, 3))
    assert (found.effects, found.events) == (3, 6)


def test_a_chain_is_whole_after_a_death_at_each_failpoint(tmp_path):
    for failpoint in FAILPOINTS:
        house = House(tmp_path / failpoint)
        house.commit(ACME, ANN)
        with pytest.raises(Died):
            house.publish(die_at=(failpoint, 0))
        house.restart().publish()

        found = chain.verify(house.ledger)
        assert found.is_whole, (failpoint, found.problems)


@pytest.mark.parametrize(
    ("statement", "complaint"),
    [
        ("update effect_event set state = 'absent' where event_id = 2", "event 2 was altered"),
        ("update effect_event set at = at + 1 where event_id = 1", "event 1 was altered"),
        ("update effect_event set run_id = 'run-9' where event_id = 3", "event 3 was altered"),
        ("delete from effect_event where event_id = 2", "event 3 does not follow"),
        ("delete from effect_event where event_id = (select max(event_id) from effect_event)", "should have"),
        ("update effect set fields = replace(fields, 'Owner', 'Ownes') where effect_id = 3", "effect 3 was altered"),
        ("update effect set halo_id = halo_id + 1 where effect_id = 1", "effect 1 was altered"),
        ("update effect set state = 'absent' where effect_id = 2", "effect 2 was altered"),
        ("delete from effect where effect_id = 2", "effect 2 was removed"),
        (
            f"insert into effect ({_COPIED}) select {_COPIED} from effect where effect_id = 1",
            "is not in the chain",
        ),
    ],
)
def test_an_edit_is_found(published, statement, complaint):
    with published.ledger.transaction() as connection:
        assert connection.exec_driver_sql(statement).rowcount == 1

    found = chain.verify(published.ledger)

    assert any(complaint in problem for problem in found.problems), found.problems


def test_one_edited_byte_of_any_event_is_found(published):
    """Each column of each row, one character changed at a time, in the file's own form."""
    with published.ledger.read() as connection:
        rows = [dict(row) for row in connection.exec_driver_sql("select * from effect_event").mappings()]
    for row in rows:
        for name, value in row.items():
            if name == "event_id":
                continue
            other = value + 1 if isinstance(value, int) else re.sub("^.", "~", value)
            with published.ledger.transaction() as connection:
                change = sa.text(f"update effect_event set {name} = :value where event_id = :id")
                connection.execute(change, {"value": other, "id": row["event_id"]})
            assert not chain.verify(published.ledger).is_whole, (row["event_id"], name)
            with published.ledger.transaction() as connection:
                connection.execute(change, {"value": value, "id": row["event_id"]})
    assert chain.verify(published.ledger).is_whole


def test_effects_older_than_the_chain_are_no_problem(published):
    """A ledger of an earlier release: its effects were never sealed."""
    with published.ledger.transaction() as connection:
        connection.exec_driver_sql("delete from effect_event")
        connection.exec_driver_sql(f"delete from mark where name = '{chain.LENGTH_MARK}'")
    published.commit({**ANN, "job_title": "Director"})
    published.publish()

    found = chain.verify(published.ledger)

    assert found.is_whole, found.problems
    assert found.events == 2


def test_events_hold_nothing_that_a_guess_could_confirm(published):
    with published.ledger.read() as connection:
        told = str(list(connection.execute(sa.select(effect_event))))

    assert "Ann" not in told
    assert "acme" not in told.lower()
    with published.ledger.read() as connection:
        row = connection.execute(sa.select(effect_event.c.digest).limit(1)).scalar_one()
        first = connection.execute(sa.select(*chain._ROW).limit(1)).one()
    assert chain._digest(b"another key, thirty-two bytes ..", first) != row
    assert stat.S_IMODE((published.ledger.folder / chain.KEY_FILE).stat().st_mode) == 0o600


def test_a_damaged_key_is_refused_with_a_remedy(published):
    (published.ledger.folder / chain.KEY_FILE).write_bytes(b"short")

    with pytest.raises(LedgerError, match="backup"):
        chain.verify(published.ledger)
