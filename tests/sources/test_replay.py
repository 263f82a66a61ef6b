"""Quarantine read again: what a fix lets in comes in, the rest is told; nothing is asked of a vendor or paid."""

from __future__ import annotations

import json

import duckdb
import pytest
from test_exports import APOLLO_ROW, UPLEAD_ROW, Desk, text_of

from orchestration import replay as verb
from orchestration import settings as settings_module
from orchestration.cli import main
from orchestration.exits import Exit
from sources import payload_contracts
from sources.archive import Archive, ArchiveRow
from sources.clock import VirtualClock
from sources.intake import Meter, Poison
from sources.load import load
from sources.paid import Till, archived, quarantine
from sources.payload_contracts import CONTRACTS, Contract
from sources.replay import replay

PERSON = {name: None for name in CONTRACTS["apollo", "contact"].fields if "." not in name and "[]" not in name}


def person(row_id, **fields):
    return {**PERSON, "id": row_id, "email": f"{row_id}@acme.test", "departments": [], **fields}


class Desktop:
    """Apollo's archive, loaded again and again into one warehouse; no vendor anywhere."""

    def __init__(self, folder):
        self.folder, self.clock = folder, VirtualClock()
        self.archive = Archive(folder / "archive")
        self.paths = {"warehouse": folder / "warehouse.duckdb", "state": folder / "dlt"}

    def buy(self, *people, stamp):
        rows = [ArchiveRow(one["id"], stamp, one, 1.0, self.clock.now()) for one in people]
        self.archive.append("apollo", "contact", rows)

    def load(self):
        import dlt

        meter = Meter("apollo")

        @dlt.source(name="apollo", max_table_nesting=0)
        def source():
            yield archived("contact", self.archive, meter)
            yield quarantine(self.archive, meter, self.clock)

        load(source(), name="apollo", **self.paths)
        return meter

    def replay(self, **options):
        return replay("apollo", self.archive, self.clock, **self.paths, **options)

    def emails(self):
        return {
            row_id: (json.loads(payload).get("email"), stamp)
            for row_id, payload, stamp in self.query("select id, payload, stamp from raw_apollo.contact")
        }

    def held(self):
        return {row[0] for row in self.query("select id from raw_apollo.quarantine")}

    def query(self, sql):
        with duckdb.connect(str(self.paths["warehouse"]), read_only=True) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture
def desk(tmp_path):
    """Forty people, of whom three came again with their e-mail under another name."""
    desk = Desktop(tmp_path)
    desk.buy(*(person(f"p{number}") for number in range(40)), stamp="2026-01-01")
    assert desk.load().held == []
    desk.clock.sleep(60)
    drifted = [person(f"p{number}", work_email=f"new{number}@acme.test") for number in range(3)]
    for one in drifted:
        del one["email"]
    desk.buy(*drifted, stamp="2026-01-02")
    [line] = desk.load().held
    assert "field email is now called work_email; 3 of 3 rows are held and keep their last good values" in line
    return desk


KEYS = {"contact:p0", "contact:p1", "contact:p2"}


def test_held_rows_keep_their_last_good_values_and_are_told_with_their_reason(desk):
    assert desk.held() == KEYS
    assert desk.emails()["p0"] == ("p0@acme.test", "2026-01-01")

    done = desk.replay()

    assert (dict(done.came_in), desk.held()) == ({}, KEYS)
    assert dict(done.held) == {("contact", "email", "field email is now called work_email"): 3}


def test_a_mapping_that_reads_the_new_name_lets_them_in(desk, monkeypatch):
    """The fix is a line of the contract and of the SQL; the rows come in with the stamp of their version."""
    fields = {
        ("work_email" if name == "email" else name): kinds
        for name, kinds in CONTRACTS["apollo", "contact"].fields.items()
    }
    mended = {**CONTRACTS, ("apollo", "contact"): Contract(fields)}
    for module in ("sources.replay", "sources.customs"):
        monkeypatch.setattr(f"{module}.CONTRACTS", mended)
    assert payload_contracts.CONTRACTS is CONTRACTS

    done = desk.replay()

    assert (dict(done.came_in), dict(done.held), desk.held()) == ({"contact": 3}, {}, set())
    assert desk.emails()["p0"] == (None, "2026-01-02")


def test_a_person_may_accept_what_drifted_and_the_next_load_is_judged_by_it(desk):
    done = desk.replay(is_accepted=True)

    assert (dict(done.came_in), desk.held()) == ({"contact": 3}, set())
    one = person("p5", work_email="new5@acme.test")
    del one["email"]
    desk.buy(one, stamp="2026-01-03")
    assert desk.load().held == []
    assert desk.emails()["p5"] == (None, "2026-01-03")


def test_what_the_vendor_mended_came_in_by_itself_and_its_quarantine_ends(desk):
    desk.clock.sleep(60)
    desk.buy(person("p0", email="again@acme.test"), stamp="2026-01-04")
    assert desk.load().held == []

    done = desk.replay()

    assert (dict(done.mended), dict(done.came_in)) == ({"contact": 1}, {})
    assert desk.held() == KEYS - {"contact:p0"}
    assert desk.emails()["p0"] == ("again@acme.test", "2026-01-04")


def test_a_warehouse_that_is_built_anew_holds_the_same_rows(desk):
    before = desk.emails()
    desk.paths["warehouse"].unlink()

    meter = desk.load()

    assert (desk.emails(), desk.held(), meter.held) == (before, KEYS, [])


def test_after_a_release_a_new_warehouse_has_them_too(desk):
    desk.replay(is_accepted=True)
    before = desk.emails()
    desk.paths["warehouse"].unlink()

    desk.load()

    assert (desk.emails(), desk.held()) == (before, set())


def test_a_row_that_no_table_can_hold_stays_out_even_if_accepted(tmp_path):
    desk = Desktop(tmp_path)
    till = Till(desk.archive, Meter("apollo"), "contact")
    spoilt = json.dumps(person("p1", title="nul\x00"))
    till.refuse(
        Poison("p1", "contact", "title", "holds a NUL character", spoilt), stamp="v", credits=1.0, at=desk.clock.now()
    )
    till.keep()
    desk.buy(person("p2"), stamp="v")
    desk.load()

    done = desk.replay(is_accepted=True)

    assert dict(done.held) == {("contact", "title", "holds a NUL character"): 1}
    assert desk.held() == {"contact:p1"}


def test_a_mended_download_is_read_again_and_no_longer_held(tmp_path):
    desk = Desk(tmp_path)
    desk.drop("apollo/a.csv", text_of(APOLLO_ROW))
    desk.drop("uplead/b.csv", text_of({name: value for name, value in UPLEAD_ROW.items() if name != "Last Name"}))
    desk.run()
    settings = settings_module.load(env_file=None).model_copy(update={"data": tmp_path, "ledger_url": None})
    settings.prepare()

    still = verb.replayed(settings, ["exports"], is_accepted=False)["exports"]
    desk.drop("uplead/b.csv", text_of(UPLEAD_ROW))
    mended = verb.replayed(settings, ["exports"], is_accepted=False)["exports"]

    assert still["came_in"] == {}
    assert still["still_held"] == [
        {"entity": "file", "field": "Last Name", "reason": "column 'Last Name' is missing", "rows": 1}
    ]
    assert (mended["came_in"], mended["still_held"]) == ({"file": 1}, [])
    assert len(desk.contacts()) == 2
    assert desk.query("select count(*) from quarantine") == [(0,)]


@pytest.fixture
def call(monkeypatch, capsys):
    def called(root, *arguments):
        monkeypatch.setenv("HALOSYNC_DATA", str(root))
        code = main(["replay", *arguments])
        return code, capsys.readouterr()

    return called


def test_the_verb_tells_what_is_still_held_and_exits_3(desk, call):
    code, printed = call(desk.folder, "--json")

    told = json.loads(printed.out)
    assert code == Exit.PARTIAL
    assert told["sources"]["apollo"]["still_held"] == [
        {"entity": "contact", "field": "email", "reason": "field email is now called work_email", "rows": 3}
    ]
    code, printed = call(desk.folder, "--source", "apollo", "--accept")
    assert (code, "3 contact came in" in printed.out) == (0, True)


def test_nothing_to_replay_is_0_and_to_accept_everything_at_once_is_refused(tmp_path, call):
    assert call(tmp_path / "none", "--json")[0] == Exit.DONE
    code, printed = call(tmp_path / "none", "--accept")
    assert code == Exit.USAGE
    assert "--accept wants --source NAME" in printed.err
