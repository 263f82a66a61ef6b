"""Seeded worlds: what a plan predicts is what apply does, field by field, and the judge that says so bites."""

from __future__ import annotations

import pytest

from assets.publishing.planned import Checker
from orchestration.bench.planned import judge


@pytest.mark.parametrize("seed", range(10))
def test_predicted_is_actual_and_every_difference_is_listed_as_drift(seed):
    assert judge(seed).faults == []


def test_an_apply_that_sends_what_was_not_planned_is_found(monkeypatch):
    """A planted bug: the gate lets everything through."""
    lenient = Checker._objection
    monkeypatch.setattr(Checker, "_objection", lambda self, effect: lenient(self, effect) and None)

    faults = [fault for seed in range(4) for fault in judge(seed).faults]

    assert any("was written otherwise than planned" in fault for fault in faults)
