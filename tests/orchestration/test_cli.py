"""The verbs as a person calls them: help and what is told without doing anything.

Exit codes are in test_exit_codes.py, mistakes in test_mistakes.py.
"""

from __future__ import annotations

import json

import pytest

from orchestration.cli import VERBS, main
from tests.orchestration.house import halosync


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb, capsys):
    """In this process: a new one would spend seconds on imports that are no part of the promise."""
    with pytest.raises(SystemExit) as left:
        main([verb, "--help"])

    assert left.value.code == 0
    assert f"halosync {verb}" in capsys.readouterr().out


def test_no_verb_shows_the_verbs(tmp_path):
    done = halosync(data=tmp_path)

    assert done.returncode == 2
    assert all(verb in done.stderr for verb in VERBS)


def test_an_unknown_verb_is_a_usage_error(tmp_path):
    done = halosync("frobnicate", data=tmp_path)

    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_check_says_what_is_configured_and_writes_nothing(tmp_path):
    done = halosync("check", "--json", data=tmp_path / "data", SOURCES__APOLLO__API_KEY="k")

    found = json.loads(done.stdout)
    assert done.returncode == 0
    assert found["sources"]["apollo"] == "configured"
    assert found["definitions"]["schedules"] == 4
    assert not (tmp_path / "data").exists()
