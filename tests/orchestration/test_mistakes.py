"""Wrong settings and wrong input: one clear line and exit 2, never a traceback.

Through `orchestration.cli.main`, which is the whole command line but for the start of a process.
"""

from __future__ import annotations

import os
from contextlib import ExitStack

import pytest

from orchestration.cli import main
from sources.clock import VirtualClock
from sources.halopsa.simulator import HaloSimulator
from sources.simulation import serve

# Root may write everywhere but here.
NOWHERE = "/proc/halosync"


@pytest.fixture
def call(monkeypatch, capsys, tmp_path):
    """Runs a command line in a folder of its own; returns exit code and what stderr shows."""
    for name in [name for name in os.environ if name.startswith(("SOURCES__", "HALOSYNC"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HALOSYNC_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)

    def called(*arguments, **environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        try:
            code = main(arguments)
        except SystemExit as left:  # argparse prints usage and error, then leaves
            code = left.code
        return code, capsys.readouterr().err

    return called


HALO = {
    "SOURCES__HALOPSA__TENANT": "acme",
    "SOURCES__HALOPSA__CLIENT_ID": "an-id",
    "SOURCES__HALOPSA__CLIENT_SECRET": "canary-secret",
}
MISTAKES = {
    "no source": (["run"], {}, "No source is configured"),
    "missing key of a source asked for": (
        ["run", "--source", "zoominfo"],
        {},
        "Setting SOURCES__ZOOMINFO__CLIENT_ID is missing; --source zoominfo needs it.",
    ),
    "half a key": (
        ["run", "--source", "zoominfo"],
        {"SOURCES__ZOOMINFO__CLIENT_ID": "k"},
        "Setting SOURCES__ZOOMINFO__CLIENT_SECRET is missing",
    ),
    "no query": (["run"], {"SOURCES__APOLLO__API_KEY": "k"}, "SOURCES__APOLLO__QUERY is missing"),
    "no HaloPSA": (["run"], {"SOURCES__UPLEAD__API_KEY": "k"}, "SOURCES__HALOPSA__BASE_URL is missing; publishing"),
    "wrong number": (
        ["run"],
        {"SOURCES__HALOPSA__CALLS_PER_WINDOW": "x"},
        "SOURCES__HALOPSA__CALLS_PER_WINDOW is wrong",
    ),
    "wrong list": (["run"], {"SOURCES__UPLEAD__DOMAINS": '{"a": 1}'}, "SOURCES__UPLEAD__DOMAINS is wrong"),
    "no JSON": (
        ["run"],
        {"SOURCES__APOLLO__QUERY": "{oops"},
        "SERVICE__TRUSTED_PROXIES or ALERTS__URLS is wrong: it is no JSON",
    ),
    "wrong engine": (["demo"], {"ENGINE_URL": "oracle"}, "ENGINE_URL is wrong"),
    "wrong ledger": (["demo", "--people", "60"], {"LEDGER_URL": "nonsense"}, "LEDGER_URL"),
    "data in no folder": (["demo"], {"HALOSYNC_DATA": NOWHERE}, "Set HALOSYNC_DATA to a folder that you may write."),
    "too few people": (["demo", "--people", "7"], {}, "give 50 to 1000000 people"),
    "no share": (["demo", "--change", "2"], {}, "give a share between 0 and 1"),
    "no number": (["demo", "--people", "many"], {}, "--people"),
    "no file": (["resolve", "missing.csv", "--entity", "contact", "--out", "o.csv"], {}, "missing.csv: no such file."),
    "no entity": (["resolve", "a.csv", "--entity", "robot", "--out", "o.csv"], {}, "--entity"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_clear_line_and_exit_2(call, name):
    arguments, environment, told = MISTAKES[name]

    code, shown = call(*arguments, **environment)

    assert code == 2
    assert told in shown
    assert "Traceback" not in shown
    assert len([line for line in shown.splitlines() if not line.startswith(("usage:", "  "))]) == 1


def test_a_data_folder_that_is_a_file_is_named(call, tmp_path):
    (tmp_path / "file").write_text("")

    code, shown = call("demo", HALOSYNC_DATA=str(tmp_path / "file" / "data"))

    assert code == 2
    assert str(tmp_path / "file" / "data") in shown


def test_a_world_that_cannot_be_read_says_how_to_begin_anew(call, tmp_path):
    (tmp_path / "data" / "demo").mkdir(parents=True)
    (tmp_path / "data" / "demo" / "world.json").write_text("{half a no")

    code, shown = call("demo")

    assert (code, shown.splitlines()[-1].endswith("add --fresh to begin anew.")) == (2, True)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "HaloPSA refuses client id or secret (SOURCES__HALOPSA__CLIENT_ID, …__CLIENT_SECRET)"),
        ({"SOURCES__HALOPSA__TENANT": "other"}, "does not know tenant 'other'; it calls itself 'acme'"),
        ({"SOURCES__HALOPSA__BASE_URL": "{url}/wrong"}, "there is no HaloPSA at SOURCES__HALOPSA__BASE_URL"),
    ],
    ids=["wrong secret", "wrong tenant", "wrong address"],
)
def test_a_halopsa_that_refuses_us_is_found_before_anything_is_fetched(call, changes, told):
    with ExitStack() as stack:
        url = stack.enter_context(serve(HaloSimulator(None, VirtualClock())))
        settings = HALO | {"SOURCES__HALOPSA__BASE_URL": url, "SOURCES__UPLEAD__API_KEY": "k"}
        settings |= {name: value.format(url=url) for name, value in changes.items()}

        code, shown = call("run", **settings)

    assert code == 2
    assert told in shown
    assert shown.rstrip().endswith("Nothing was fetched. Without HaloPSA: halosync run --no-publish.")
    assert len(shown.splitlines()) == 1
    assert "canary-secret" not in shown


FILES = {
    "wrong columns": ("colour,size\nred,1\n", "column record_id is missing; found: colour, size."),
    "columns of nobody": ("record_id,colour,size\n1,red,2\n", "none of its columns belongs to a contact"),
    "column twice": ("record_id,email,email\n1,a@b.co,c@d.co\n", "column email is there more than once"),
    "id twice": ("record_id,email\n1,a@b.co\n1,c@d.co\n", "1 values of record_id are there more than once"),
    "no id": ("record_id,email\n,a@b.co\n", "1 rows have no record_id, the first is row 1"),
    "ragged": ("record_id,email\n1,a@b.co,too,many\n", "cannot be read as csv"),
    "empty": ("", "cannot be read as csv"),
    "not text": (b"record_id,email\n1,\xff\xfe\n", "cannot be read as csv"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_resolve_cannot_use_is_one_line_with_what_was_found(call, tmp_path, name):
    content, told = FILES[name]
    (tmp_path / "people.csv").write_bytes(content if isinstance(content, bytes) else content.encode())

    code, shown = call("resolve", "people.csv", "--entity", "contact", "--out", "out.csv")

    assert code == 2
    assert told in shown
    assert "people.csv" in shown
    assert "Traceback" not in shown
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--out", "/proc/out.csv"], "Cannot write /proc/out.csv"),
        (["--out", "folder.csv"], "Cannot write folder.csv: it is a folder."),
        (["--out", "missing/out.csv"], "missing/out.csv: its folder does not exist; make it first."),
        (["--out", "out.txt"], "out.txt: unknown kind of output"),
        (["--out", "out.csv", "--pairs", "/proc/pairs.csv"], "Cannot write /proc/pairs.csv"),
        (["--out", "out.csv", "--state", "people.csv"], "--state wants a folder, and this is a file."),
        (["--out", "out.csv", "--state", NOWHERE], f"Cannot write {NOWHERE}"),
    ],
)
def test_an_output_that_cannot_be_written_is_one_line(call, tmp_path, flags, told):
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "people.csv").write_text("record_id,email\n1,a@b.co\n2,a@b.co\n")

    code, shown = call("resolve", "people.csv", "--entity", "contact", *flags)

    assert code == 2
    assert told in shown
    assert "Traceback" not in shown
