"""Laws of the three-way merge: people's edits survive everything, and the pipeline's own values stay current."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.publishing.merge import UNSEEN, Outcome, Published, merge_field, merge_record

pytestmark = pytest.mark.one_store

VALUES = st.sampled_from([None, "a", "b", "c"])
PUBLISHED = st.one_of(st.none(), st.builds(Published, sent=st.sampled_from("abc"), held=st.sampled_from("abc")))
OWNERS = st.sampled_from(["pipeline", "human", "fill_if_empty", "newest"])


@pytest.mark.parametrize(
    ("published", "golden", "halo", "owner", "outcome"),
    [
        (None, "new", None, "pipeline", Outcome.WRITE),  # blank, never set: filled
        (None, "new", "", "fill_if_empty", Outcome.WRITE),
        (None, "new", "person's", "pipeline", Outcome.CONFLICT),  # adopted: differing values are human-owned
        (None, "same", "same", "pipeline", Outcome.AGREE),
        (Published("old", "old"), "new", "old", "pipeline", Outcome.WRITE),
        (Published("old", "old"), "new", "old", "fill_if_empty", Outcome.SAME),
        (Published("old", "old"), "new", None, "pipeline", Outcome.CONFLICT),  # blanked by a person
        (Published("old", "old"), "old", None, "pipeline", Outcome.HUMAN),
        (Published("old", "old"), "new", "person's", "pipeline", Outcome.CONFLICT),
        (Published("old", "old"), "new", "new", "pipeline", Outcome.AGREE),
        (Published("old", "old"), None, "old", "pipeline", Outcome.SAME),  # golden lost it: no reason to blank
        (Published("a long name", "a long"), "a long name", "a long", "pipeline", Outcome.SAME),  # Halo cut it
        (Published("old", "old"), "new", UNSEEN, "pipeline", Outcome.WRITE),
        (Published("old", "old"), "old", UNSEEN, "pipeline", Outcome.SAME),
        (None, "new", None, "human", Outcome.SAME),
    ],
)
def test_each_case_of_the_table_has_its_outcome(published, golden, halo, owner, outcome):
    assert merge_field(published, golden, halo, owner) is outcome


@given(PUBLISHED, VALUES, VALUES, OWNERS)
def test_nothing_is_ever_written_over_a_value_that_is_not_what_we_left_there(published, golden, halo, owner):
    if merge_field(published, golden, halo, owner) is Outcome.WRITE:
        assert golden is not None
        assert halo == (published.held if published else None)


@given(PUBLISHED, VALUES, VALUES, OWNERS)
def test_a_written_field_is_at_rest_afterwards(published, golden, halo, owner):
    """Idempotence: what was just sent and acknowledged is not sent again, whatever Halo made of it."""
    if merge_field(published, golden, halo, owner) is Outcome.WRITE:
        assert merge_field(Published(golden, "re-spelled"), golden, "re-spelled", owner) is Outcome.SAME


@given(st.lists(st.tuples(st.sampled_from(["golden", "person", "publish"]), VALUES), max_size=12), VALUES)
def test_no_history_of_people_and_pipeline_loses_a_persons_last_word(history, found):
    """One field of one record: a value or a blank that a person left last is never written over."""
    halo, golden, published = found, None, None
    is_persons = found is not None

    for actor, value in history:
        if actor == "golden":
            golden = value
        elif actor == "person":
            halo = value
            is_persons = value is not None if published is None else value != published.held
        else:
            outcome = merge_field(published, golden, halo)
            assert not (is_persons and outcome is Outcome.WRITE)
            if outcome is Outcome.WRITE:
                halo = golden
            if outcome in (Outcome.WRITE, Outcome.AGREE):
                published, is_persons = Published(golden, golden), False


@pytest.mark.parametrize(
    ("published", "golden", "halo", "is_newer", "outcome"),
    [
        (Published("old", "old"), "new", "person's", True, Outcome.WRITE),
        (Published("old", "old"), "new", "person's", False, Outcome.CONFLICT),
        (Published("old", "old"), "new", "person's", None, Outcome.WRITE),  # only a reason to look
        (Published("old", "old"), "old", "person's", True, Outcome.HUMAN),  # golden has not moved in this field
        (Published("old", "old"), None, "person's", True, Outcome.HUMAN),
        (None, "new", "person's", True, Outcome.WRITE),
        (None, None, "person's", True, Outcome.SAME),
    ],
)
def test_newest_lets_golden_win_only_where_it_moved_after_halo(published, golden, halo, is_newer, outcome):
    assert merge_field(published, golden, halo, "newest", is_newer=is_newer) is outcome


def test_a_group_is_written_whole_or_not_at_all():
    published = {"street": Published("1 High St", "1 High St"), "city": Published("York", "York")}
    golden = {"street": "2 Low St", "city": "Leeds", "phone": "2"}
    owners = {"street": "pipeline", "city": "pipeline", "phone": "pipeline"}
    groups = (frozenset({"street", "city"}),)

    edited = merge_record(published, golden, {"street": "Unit 7", "city": "York", "phone": None}, owners, groups)
    untouched = merge_record(published, golden, {"street": "1 High St", "city": "York", "phone": None}, owners, groups)

    assert (edited.writes, edited.conflicts) == ({"phone": "2"}, ("street", "city"))
    assert (untouched.writes, untouched.conflicts) == (golden, ())
