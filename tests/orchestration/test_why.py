"""`why` as a person calls it: pairs, golden records, files, pages, and one line for every mistake."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from html.parser import HTMLParser
from pathlib import Path

import pytest
import sqlalchemy as sa

from assets.publishing import models
from assets.publishing.ledger import Ledger
from assets.publishing.tables import lineage
from orchestration.cli import main
from tests.orchestration.house import House
from transforms.resolve import resolve_file

HOSTILE = "[red]<b>3</b><script>alert(1)</script>"
PEOPLE = [
    {"record_id": "1", "first_name": "Ann", "last_name": "Okafor", "email": "ann.okafor@acme.com", "city": "Leeds"},
    {"record_id": "2", "first_name": "Anne", "last_name": "Okafor", "email": "ann.okafor@acme.com", "city": "Leeds"},
    {"record_id": HOSTILE, "first_name": "Ben", "last_name": "Turner", "email": "ben@turner.com"},
    {"record_id": "4", "first_name": "Ben", "last_name": "O'Hara", "email": "ohara@turner.com"},
]
COMPANIES = [
    {"record_id": "1", "name": "Acme Ltd", "domain": "acme.com"},
    {"record_id": "2", "name": "Turner Joinery", "domain": "turner.com"},
]


@pytest.fixture(scope="module")
def house(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> House:
    return House.of_demo(demo, tmp_path_factory.mktemp("data"))


Called = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Called:
    """`why` with these arguments: exit code, stdout, stderr."""

    def called(*arguments: str) -> tuple[int, str, str]:
        code = main(["why", *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return called


@pytest.fixture
def ask(house: House, call: Called, monkeypatch: pytest.MonkeyPatch) -> Called:
    """`why --demo` on the house."""
    monkeypatch.setenv("HALOSYNC_DATA", str(house.root.parent))
    return partial(call, "--demo")


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of `resolve --state` in which file:1 is a contact and an organisation."""
    root = tmp_path_factory.mktemp("resolved")
    for entity, rows in (("contact", PEOPLE), ("organisation", COMPANIES)):
        path = root / f"{entity}.csv"
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        resolve_file(path, entity, root / f"{entity}_out.csv", state=root / "state")
    return root / "state"


class Page(HTMLParser):
    """Tags in order, the text of every table cell and of all headings."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.cells: list[str] = []
        self.headings = ""
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in ("meta", "line", "rect"):
            self.open.append(tag)
        if tag == "td":
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("line", "rect"):
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "td":
            self.cells[-1] += data
        if self.open and self.open[-1] == "th":
            self.headings += data


def test_a_pair_adds_up_to_the_stored_weight(ask: Called, house: House) -> None:
    ((left, right, weight),) = house.query(
        "select record_key_l, record_key_r, weight from resolved.contact_pair order by abs(weight), l, r limit 1"
    )

    code, out, _ = ask(str(left), str(right), "--json")

    found = json.loads(out)
    assert code == 0
    assert abs(sum(part["bits"] for part in found["contributions"]) - found["score"]) <= 1e-9
    assert found["score"] == weight / 1000
    assert found["replayed"]
    kept = sum(part["bits"] for part in found["contributions"] if part["name"] not in found["deciding"])
    assert found["deciding"]
    assert (kept > 0) != found["same"]
    assert (found["score_without_deciding"] > 0) != found["same"]


def test_a_golden_record_is_told_whole(ask: Called, house: House) -> None:
    ((golden_id, records),) = house.query(
        "select golden_id, record_count from golden.contact order by record_count desc, golden_id limit 1"
    )

    code, out, _ = ask(str(golden_id), "--json")

    found = json.loads(out)
    cells = house.query(f"select field, value, record_key, rule from golden.provenance where golden_id = '{golden_id}'")
    assert code == 0
    assert len(found["members"]) == records
    assert sorted(
        (cell["field"], cell["value"], cell["record_key"], cell["rule"]) for cell in found["cells"]
    ) == sorted(cells)
    assert [event["event"] for event in found["lineage"]] == ["created"]
    assert sum(edge["holds"] for edge in found["edges"]) == records - 1
    assert all(edge["because"] for edge in found["edges"] if edge["holds"])


def test_a_record_key_leads_to_its_golden_record(ask: Called, house: House) -> None:
    ((key, golden_id),) = house.query("select record_key, golden_id from golden.contact_identity order by 1 limit 1")

    code, out, _ = ask(str(key), "--json")

    found = json.loads(out)
    assert (code, found["golden_id"]) == (0, golden_id)
    assert found["why"][0] == f"{key} belongs to golden record {golden_id}."


def test_a_merged_id_leads_to_its_heir_and_a_retired_one_says_so(ask: Called, house: House) -> None:
    ((golden_id,),) = house.query("select golden_id from golden.contact order by golden_id limit 1")
    events = [("con_merged", "merged_into", golden_id), ("con_retired", "retired", "")]
    ledger = Ledger.open(house.root / "ledger.sqlite")
    with ledger.transaction() as connection:
        for name, event, other in events:
            at = datetime(2026, 2, 1, tzinfo=UTC)
            connection.execute(sa.insert(lineage).values(golden_id=name, event=event, other_id=other, seq=9, at=at))
    ledger.close()

    merged, retired = (ask(name, "--json") for name, _, _ in events)

    assert json.loads(merged[1])["golden_id"] == golden_id
    assert json.loads(merged[1])["why"][0] == f"con_merged was merged into {golden_id}."
    assert json.loads(retired[1])["why"] == ["No source record belongs to con_retired any more: retired."]
    assert (merged[0], retired[0]) == (0, 0)


def test_a_golden_record_tells_what_was_sent_to_halopsa(ask: Called, house: House) -> None:
    ((golden_id, halo_id),) = house.query(
        "select golden_id, halo_id from ops.crosswalk where resource = 'Users' and origin = 'created' order by 1 limit 1"
    )

    code, out, _ = ask(str(golden_id), "--json")
    _, screen, _ = ask(str(golden_id))

    story = json.loads(out)["halo"]
    assert code == 0
    assert (story["state"], story["reason"], story["work"]) == ("published", None, [])
    assert [(row["resource"], row["halo_id"], row["origin"]) for row in story["records"]] == [
        ("Users", halo_id, "created")
    ]
    (sent,) = story["effects"]
    assert (sent["operation"], sent["halo_id"], "email" in sent["fields"]) == ("create", halo_id, True)
    assert [event["state"] for event in sent["events"]] == ["sending", "acked"]
    assert f"create Users {halo_id}" in " ".join(screen.split())
    assert "HaloPSA: published (version 1)." in screen


def test_every_column_of_the_mirrored_ledger_is_commented(house: House) -> None:
    bare = house.query(
        "select table_name, column_name from duckdb_columns() where schema_name = 'ops' and comment is null "
        "and table_name in ('effect', 'effect_event', 'outbox', 'work_item', 'crosswalk', 'run', 'feed', 'commit')"
    )

    assert bare == []


def test_a_model_that_is_newer_than_the_tables_is_not_believed(ask: Called, house: House) -> None:
    """A run under way learns a model before the inspection copy is swapped."""
    ledger = Ledger.open(house.root / "ledger.sqlite")
    body = models.latest(ledger, "contact")
    assert body is not None
    with ledger.transaction() as connection:
        newer = {"contact": body | {"prior_log2": body["prior_log2"] + 3}}
        models.store(connection, newer, run_id="under way", at=datetime(2026, 2, 1, tzinfo=UTC))
    ledger.close()
    ((left, right),) = house.query("select record_key_l, record_key_r from resolved.contact_pair order by l, r limit 1")

    code, out, _ = ask(str(left), str(right), "--json")

    assert code == 0
    assert json.loads(out)["replayed"]


def test_the_page_shows_the_same_numbers_and_fetches_nothing(ask: Called, house: House, tmp_path: Path) -> None:
    ((left, right),) = house.query("select record_key_l, record_key_r from resolved.contact_pair order by l, r limit 1")

    _, out, _ = ask(str(left), str(right), "--json", "--html", str(tmp_path / "why.html"))

    text = (tmp_path / "why.html").read_text(encoding="utf-8")
    page, found = Page(text), json.loads(out)
    assert page.open == []
    assert {"svg", "table", "caption"} <= set(page.tags)
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert not re.search(r"(?:src|href|url\()\s*=?", text)
    for part in found["contributions"]:
        assert (f"{part['bits']:+.3f}" if part["bits"] else "0") in page.cells
    assert f"{found['score']:+.3f}" in page.cells
    assert (tmp_path / "why.html").stat().st_mode & 0o077 == 0


def test_a_terminal_gets_sentences_bars_and_who_decides(ask: Called, house: House) -> None:
    ((left, right),) = house.query(
        "select record_key_l, record_key_r from resolved.contact_pair order by abs(weight), l, r limit 1"
    )

    code, out, _ = ask(str(left), str(right))

    assert code == 0
    assert "What decides: " in out
    assert "█" in out
    assert "◀ " in out
    assert "score: " in out


def test_a_resolved_file_is_asked_by_its_own_ids(call: Called, state: Path) -> None:
    code, out, _ = call("--state", str(state), "1", "2", "--entity", "contact", "--json")

    found = json.loads(out)
    assert code == 0
    assert [record["record_key"] for record in found["records"]] == ["file:1", "file:2"]
    assert "same e-mail address" in " ".join(part["words"] for part in found["contributions"])


def test_markup_in_a_record_stays_text(call: Called, state: Path, tmp_path: Path) -> None:
    arguments = ("--state", str(state), "--entity", "contact", HOSTILE, "4")

    code, out, err = call(*arguments, "--html", str(tmp_path / "why.html"))

    assert (code, err) == (0, f"written to {tmp_path / 'why.html'}\n")
    page = Page((tmp_path / "why.html").read_text(encoding="utf-8"))
    assert "[red]" in out
    assert not {"script", "b"} & set(page.tags)
    assert HOSTILE in page.headings


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["con_nobody"], "con_nobody: no organisation or contact of this id"),
        (["apollo:nobody", "apollo:nobody either"], "apollo:nobody: no organisation or contact of this id"),
        (["'; drop table golden.contact; --"], "no organisation or contact of this id"),
        (["a", "b", "c"], "one golden id, or two record keys"),
        (["con_nobody", "--html", "no_such_folder/why.html"], "its folder does not exist"),
    ],
)
def test_a_mistake_is_one_line_and_exit_2(arguments: list[str], told: str, ask: Called) -> None:
    code, out, err = ask(*arguments)

    assert (code, out) == (2, "")
    assert told in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["file:1", "file:2"], "say which with --entity"),
        (["file:1"], "say which with --entity"),
        (["1", "file:1", "--entity", "contact"], "are one record"),
    ],
)
def test_a_key_that_is_two_things_asks_for_the_entity(
    arguments: list[str], told: str, call: Called, state: Path
) -> None:
    code, _, err = call("--state", str(state), *arguments)

    assert code == 2
    assert told in err


def test_before_the_first_run_there_is_nothing_to_explain(call: Called, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HALOSYNC_DATA", str(tmp_path))

    code, _, err = call("con_any")

    assert code == 2
    assert "nothing to explain yet" in err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_state_and_one_in_use_are_told_apart(call: Called, state: Path, tmp_path: Path) -> None:
    assert call("--state", str(tmp_path), "1", "2")[0] == 2

    holding = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", holding, str(state / "tables.duckdb")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        code, _, err = call("--state", str(state), "1", "2")
        other.communicate()

    assert code == 5
    assert "open" in err
