"""From a first run on a real account to its first writes, through the command line: run, plan, apply, publish."""

from __future__ import annotations

import json

import pytest

from orchestration.cli import main
from orchestration.exits import Exit
from tests.orchestration.house import WRITES, House

CAREFUL = """
[audience]
in_halo_only = false
"""


@pytest.fixture
def account(tmp_path, monkeypatch):
    """A house whose account was never written to, its settings in the environment; gives its request log."""
    house = House(tmp_path / "data", people=60)
    rules = tmp_path / "publishing.toml"
    rules.write_text(CAREFUL)
    with house.vendors() as (around, environment):
        for name, value in {**environment, "PUBLISHING_FILE": str(rules), "HALOSYNC_DATA": str(house.root)}.items():
            monkeypatch.setenv(name, value)
        log = around.simulators["halopsa"].log
        yield tmp_path, lambda: sum(item.method == "POST" and item.path in WRITES for item in log)


def said(capsys) -> dict:
    return json.loads(capsys.readouterr().out)


def test_a_new_account_is_planned_then_applied_then_kept_current(account, capsys):
    folder, writes = account
    assert main(["run", "--json"]) == Exit.HELD
    assert "no plan was ever applied to this account" in said(capsys)["problems"][-1]
    assert main(["publish"]) == Exit.HELD
    assert "Until then changes wait in the outbox" in capsys.readouterr().err

    assert main(["plan", "--out", str(folder / "plan.json")]) == Exit.DONE
    shown = capsys.readouterr().out
    assert writes() == 0
    assert "Plan for HaloPSA" in shown
    assert f"halosync apply {folder / 'plan.json'}" in shown
    planned = json.loads((folder / "plan.json").read_text())

    assert main(["apply", str(folder / "plan.json"), "--json"]) == Exit.DONE
    applied = said(capsys)
    assert applied["drift"] == []
    assert applied["halo"]["created"] == sum(count["creates"] for count in planned["counts"].values())
    sent = writes()
    assert 0 < sent <= len(planned["effects"])  # updates travel in arrays

    assert main(["apply", str(folder / "plan.json")]) == Exit.USAGE
    assert "a plan is used once" in capsys.readouterr().err
    assert main(["publish", "--json"]) == Exit.DONE
    assert (said(capsys)["halo"]["created"], writes()) == (0, sent)
    assert main(["plan", "--json"]) == Exit.DONE
    assert said(capsys)["effects"] == []


def test_a_plan_that_is_none_is_one_line(tmp_path, capsys):
    path = tmp_path / "plan.json"
    path.write_text("{}")

    assert main(["apply", str(path)]) == Exit.USAGE
    assert capsys.readouterr().err == f"{path}: is no plan of this release. Make a new one: halosync plan.\n"
