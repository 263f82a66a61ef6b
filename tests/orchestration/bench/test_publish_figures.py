"""Samples of the publishing benches: the pace beside the rate limit, and no edit of a person lost in random histories."""

from __future__ import annotations

import pytest

from assets.publishing import merge
from orchestration.bench.edit_histories import merge_histories, publisher_histories
from orchestration.bench.publish_speed import paces


def test_creates_and_updates_run_within_five_percent_of_what_the_rate_limit_allows():
    created, updated, silent = paces(400)

    assert created.requests_per_record < 1.05
    assert updated.requests_per_record < 0.08
    assert created.seconds <= created.seconds_at_best * 1.05
    assert updated.seconds <= updated.seconds_at_best + 1
    assert silent.requests == 0


def test_where_few_of_many_change_only_they_are_read():
    """Three of 400 do not pay for a walk of four pages."""
    _, updated, _ = paces(400, changed=3)

    assert updated.requests <= 3 + 2 + 1  # reads, the probe and the rest, a token


def test_no_human_edit_is_lost_and_no_value_blanked_in_random_histories():
    tally = merge_histories(2_000)

    assert (tally.lost, tally.nulled) == ((), ())
    assert tally.human_edits > 5_000
    assert tally.writes > 2_000
    assert tally.kept_from_us > 2_000


def test_every_window_is_found_and_what_is_certain_is_given_back():
    """A person saves a field between our read and our write of it; half of the logs spell no field as we know it."""
    tally = merge_histories(2_000)

    assert (tally.windows_wrong, tally.lost) == ((), ())
    assert tally.windows_found == tally.windows_made > 300
    assert tally.windows_restored > 200


def test_no_human_edit_is_lost_through_the_whole_publisher():
    tally = publisher_histories(5)

    assert (tally.lost, tally.nulled) == ((), ())
    assert tally.human_edits > 50
    assert tally.writes > 50


@pytest.mark.parametrize(
    ("bug", "found"),
    [
        (lambda outcome: merge.Outcome.WRITE if outcome is merge.Outcome.CONFLICT else outcome, "lost"),
        (lambda outcome: merge.Outcome.WRITE if outcome is merge.Outcome.HUMAN else outcome, "lost"),
        (lambda outcome: merge.Outcome.WRITE if outcome is merge.Outcome.SAME else outcome, "nulled"),
    ],
    ids=["conflicts are written", "old values are put back", "blanks are written"],
)
def test_the_judge_finds_a_planted_bug(monkeypatch, bug, found):
    sound = merge.merge_field
    monkeypatch.setattr(merge, "merge_field", lambda *values, **options: bug(sound(*values, **options)))

    assert getattr(merge_histories(200), found)
