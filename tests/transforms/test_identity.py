"""Golden ids: stable for life, whatever is merged, split, taken away and brought back."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from transforms.identity import Known, events_of, mint
from transforms.identity import identify as golden_ids

NOTHING = Known({}, {}, frozenset())


class Identified(NamedTuple):
    golden_of: dict[str, str]
    events: tuple[tuple[str, str, str], ...]


def identify(entity: str, cluster_of: dict[str, str], known: Known) -> Identified:
    golden_of = golden_ids(entity, cluster_of, known)
    return Identified(golden_of, tuple(events_of(golden_of, known)))


def _after(identified: Identified, known: Known) -> Known:
    ages = dict(known.age_of)
    for golden_id in sorted(set(identified.golden_of.values())):
        ages.setdefault(golden_id, max(ages.values(), default=0) + 1)
    member_of = {**known.member_of, **identified.golden_of}
    absent = frozenset(member_of.keys() - identified.golden_of.keys())
    return Known(member_of, ages, frozenset(identified.golden_of.values()), absent)


def test_from_nothing_ids_are_digests_of_the_founding_record() -> None:
    identified = identify("contact", {"b:2": "x", "a:1": "x", "c:3": "y"}, NOTHING)

    first, second = mint("contact", "a:1"), mint("contact", "c:3")
    assert identified.golden_of == {"a:1": first, "b:2": first, "c:3": second}
    assert set(identified.events) == {(first, "created", ""), (second, "created", "")}


def test_unchanged_clusters_keep_their_ids_and_have_no_events() -> None:
    clusters = {"a:1": "x", "b:2": "x", "c:3": "y"}
    known = _after(identify("contact", clusters, NOTHING), NOTHING)

    again = identify("contact", {"a:1": "other name", "b:2": "other name", "c:3": "z"}, known)

    assert again.golden_of == known.member_of
    assert again.events == ()


def test_a_merge_keeps_the_id_of_most_members_and_says_where_the_other_went() -> None:
    known = Known(
        {"a:1": "con_a", "b:1": "con_a", "c:1": "con_c"}, {"con_a": 2, "con_c": 1}, frozenset({"con_a", "con_c"})
    )

    merged = identify("contact", {"a:1": "x", "b:1": "x", "c:1": "x"}, known)

    assert set(merged.golden_of.values()) == {"con_a"}
    assert merged.events == (("con_c", "merged_into", "con_a"),)


def test_on_a_tie_the_oldest_id_wins() -> None:
    known = Known(
        {"a:1": "con_young", "c:1": "con_old"}, {"con_young": 9, "con_old": 1}, frozenset({"con_young", "con_old"})
    )

    merged = identify("contact", {"a:1": "x", "c:1": "x"}, known)

    assert set(merged.golden_of.values()) == {"con_old"}


def test_a_split_gives_one_part_the_id_and_the_other_a_new_one() -> None:
    known = Known({"a:1": "con_a", "b:1": "con_a", "c:1": "con_a"}, {"con_a": 1}, frozenset({"con_a"}))

    split = identify("contact", {"a:1": "x", "b:1": "x", "c:1": "y"}, known)

    fresh = mint("contact", "c:1")
    assert split.golden_of == {"a:1": "con_a", "b:1": "con_a", "c:1": fresh}
    assert set(split.events) == {(fresh, "created", ""), (fresh, "split_from", "con_a")}


def test_an_id_that_was_ever_given_is_never_minted_again() -> None:
    """A record that founded one entity and now founds another must not revive the first one's id."""
    spent = mint("contact", "a:1")
    known = Known({"a:1": "con_other", "b:1": "con_other"}, {"con_other": 1, spent: 2}, frozenset({"con_other"}))

    split = identify("contact", {"a:1": "x", "b:1": "y", "c:1": "y"}, known)

    assert spent not in split.golden_of.values()


def test_a_cluster_that_vanishes_retires_its_id_and_finds_it_again() -> None:
    known = Known({"a:1": "con_a"}, {"con_a": 1}, frozenset({"con_a"}))

    gone = identify("contact", {}, known)
    back = identify("contact", {"a:1": "x"}, Known(known.member_of, known.age_of, frozenset()))

    assert gone.events == (("con_a", "retired", ""),)
    assert back.golden_of == {"a:1": "con_a"}
    assert back.events == (("con_a", "revived", ""),)


@given(st.lists(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 4), min_size=1), min_size=1, max_size=5))
def test_ids_partition_as_clusters_do_through_any_history(history: list[dict[str, int]]) -> None:
    known = NOTHING
    for clusters in history:
        identified = identify("contact", {key: str(name) for key, name in clusters.items()}, known)
        pairs = {(clusters[key], identified.golden_of[key]) for key in clusters}
        assert len(pairs) == len({name for name, _ in pairs}) == len({golden_id for _, golden_id in pairs})
        known = _after(identified, known)


def test_records_that_left_and_came_back_altered_do_not_outvote_one_that_stayed() -> None:
    """Two records of an entity left; back under another name they are a pair of their own, and the id stays."""
    first = identify("contact", {"a:1": "x", "b:1": "x", "c:1": "x"}, NOTHING)
    known = _after(first, NOTHING)
    known = _after(identify("contact", {"a:1": "x"}, known), known)

    back = identify("contact", {"a:1": "x", "b:1": "y", "c:1": "y"}, known)

    assert back.golden_of["a:1"] == first.golden_of["a:1"]
    assert back.golden_of["b:1"] == back.golden_of["c:1"] == mint("contact", "b:1")


@given(st.lists(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 3), min_size=1), min_size=2, max_size=6))
def test_an_entity_whose_members_did_not_change_keeps_its_id(history: list[dict[str, int]]) -> None:
    """Whatever else came, left, merged, split or returned around it."""
    known, before = NOTHING, dict[str, int]()
    for clusters in history:
        was = _ids_by_members(before, known.member_of)
        identified = identify("contact", {key: str(name) for key, name in clusters.items()}, known)
        now = _ids_by_members(clusters, identified.golden_of)
        assert {members: now[members] for members in was.keys() & now.keys()} == {
            members: was[members] for members in was.keys() & now.keys()
        }
        known, before = _after(identified, known), clusters


def _ids_by_members(clusters: dict[str, int], golden_of: dict[str, str]) -> dict[frozenset[str], str]:
    found: dict[int, set[str]] = {}
    for key, name in clusters.items():
        found.setdefault(name, set()).add(key)
    return {frozenset(keys): golden_of[min(keys)] for keys in found.values()}
