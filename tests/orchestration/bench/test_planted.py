"""Planted bugs: each still fits the code, and the tests of faults bite. `halosync bench faults` tries all of them."""

from __future__ import annotations

import pytest

from orchestration.bench.planted import BUGS, caught_by


def test_there_are_25_bugs_at_least_each_under_a_name_of_its_own():
    assert len({bug.name for bug in BUGS}) == len(BUGS) >= 25


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_each_patch_fits_the_code_as_it_stands(bug):
    assert bug.is_plantable(), f"{bug.path} has changed: write the patch anew"
    assert bug.old != bug.new


def test_a_planted_bug_is_caught():
    bug = next(bug for bug in BUGS if bug.name == "a person's edit is overwritten")

    assert str(caught_by(bug)).startswith("test_each_case_of_the_table_has_its_outcome")
