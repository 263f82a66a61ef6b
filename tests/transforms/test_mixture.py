"""What keeps the classes of the mixture from becoming each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from transforms import mixture
from transforms.features import FEATURES, LEVELS
from transforms.kinds import KINDS, SHARED
from transforms.looks import guessed, kind_look
from transforms.mixture import Seen

FIRST = FEATURES["contact"][0]
MAIL = next(feature for feature in FEATURES["contact"] if feature.name == "mail")
DIFFERENT = 10


def _seen() -> Seen:
    return Seen(
        levels=np.zeros((1, len(FEATURES["contact"])), dtype=np.int64),
        pairs=np.ones(3),
        pattern=np.zeros(3, dtype=np.int64),
        sources=np.arange(3),
        source_chance=np.asarray([0.25, 0.5, 0.25]),
        is_one_source=np.asarray([True, False, True]),
        records=100,
        all_pairs=4950.0,
    )


def test_to_come_from_one_source_never_speaks_for_truth() -> None:
    """A class that fills one source would else call itself true because it fills that source (benefit files of one
    town: names of one birth year, F1 .31)."""
    found = mixture._source_bits(_seen(), np.asarray([9000.0, 900.0, 100.0]))

    assert found[0] == 0.0
    assert found[2] < found[1] < 0


def test_sources_that_differ_in_nothing_say_nothing() -> None:
    assert mixture._source_bits(_seen(), np.asarray([250.0, 500.0, 250.0])) == pytest.approx([0, 0, 0], abs=1e-9)


def test_a_shared_fact_of_a_kind_differs_only_as_often_as_in_true_pairs() -> None:
    m, counted = guessed(FIRST, np.ones(LEVELS)), np.zeros(LEVELS)
    counted[DIFFERENT] = 1e6

    look = kind_look(FIRST, SHARED, counted, m, np.full(LEVELS, 0.1))

    assert look[DIFFERENT] == pytest.approx(m[DIFFERENT])


def test_the_mailbox_itself_is_never_shared_by_kind() -> None:
    u, counted = np.full(LEVELS, 0.01), np.zeros(LEVELS)
    counted[[1, 9]] = 1e6

    look = kind_look(MAIL, "by both names", counted, guessed(MAIL, np.ones(LEVELS)), u)

    assert look[[1, 9]].tolist() == [0.01, 0.01]


def test_one_odd_pair_is_no_kind() -> None:
    features, kind = FEATURES["contact"], KINDS["contact"][0]
    blank = np.zeros(LEVELS)
    found = mixture._start(
        features, (kind,), (), replace(_seen(), levels=np.full((1, 13), 1)), _raw(), {f.name: blank for f in features}
    )
    found = replace(found, kinds=(kind,), kind_pairs=np.ones(1))

    mixture._learn_kinds(features, found, _seen(), np.full((1, 1), 0.9))

    assert found.kind_pairs[0] < mixture.KIND_PAIRS_MIN


def _raw() -> dict[str, np.ndarray]:
    return {feature.name: np.ones(LEVELS) for feature in FEATURES["contact"]}


def _told(**levels: int) -> Seen:
    """A thousand pairs that all show these levels."""
    row = [levels.get(feature.name, 0) for feature in FEATURES["contact"]]
    return replace(_seen(), levels=np.asarray([row]), pairs=np.full(3, 1000.0))


def test_namesakes_of_one_employer_are_a_kind_only_where_something_tells_them_apart() -> None:
    """Their mailboxes do, though names shape them; without that, one stale title would make a false pair."""
    features = FEATURES["contact"]
    namesakes = next(kind for kind in KINDS["contact"] if kind.name == "namesakes, one employer")
    m = {feature.name: guessed(feature, np.ones(LEVELS)) for feature in features}
    names = {"first": 3, "last": 3, "organisation": 3, "title": 5}

    with_mailbox = mixture._usable(features, (namesakes,), _told(**names, mail=5, linkedin=3), m)
    without = mixture._usable(features, (namesakes,), _told(**names), m)

    assert (with_mailbox, without) == ((namesakes,), ())
