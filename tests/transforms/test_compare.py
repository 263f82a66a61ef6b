"""What counts as alike, field by field."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.kernels.compare import (
    CLOSE,
    DIFFERENT,
    INITIAL,
    MEASURES,
    SAME_FORM,
    SIBLING,
    SIMILAR,
)


@pytest.mark.parametrize(
    ("field", "left", "right", "likeness"),
    [
        ("first", "bob", "robert", SAME_FORM),
        ("first", "mary ann", "mary", SAME_FORM),
        ("first", "j", "john", INITIAL),
        ("first", "kristoffer", "kristofer", CLOSE),
        ("first", "peter", "susan", DIFFERENT),
        ("last", "smith jones", "jones", SAME_FORM),
        ("last", "van der berg", "vanderberg", SAME_FORM),
        ("last", "smith", "smyth", CLOSE),
        ("local", "j.smith", "jsmithe", CLOSE),
        ("local", "jsmith", "jsmith2", DIFFERENT),
        ("local", "bsmith", "lsmith", SIMILAR),
        ("born", "1980-03-04", "1980-04-03", CLOSE),
        ("born", "1980-03-04", "1980-03-14", CLOSE),
        ("born", "1980-03-04", "1951-11-29", DIFFERENT),
        ("street", "12 high road", "14 high road", SIMILAR),
        ("name", "international business machines", "ibm", INITIAL),
        ("name", "acme texas", "acme", SIBLING),
        ("name", "acme holdings", "acme", INITIAL),
        ("name", "blue river", "blueriver", SAME_FORM),
        ("site", "acmetools.com", "acmetools.co.uk", SIMILAR),
        ("city", "london", "londn", CLOSE),
        ("external", "1234567", "1234576", CLOSE),
    ],
)
def test_likeness(field: str, left: str, right: str, likeness: int) -> None:
    assert MEASURES[field]([left], [right]).tolist() == [likeness]
    assert MEASURES[field]([right], [left]).tolist() == [likeness]


TEXT = st.text(alphabet="abcdefgh 0123456789-.", min_size=1, max_size=14).map(str.strip).filter(bool)


@given(st.sampled_from(sorted(MEASURES)), st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=8))
@settings(max_examples=150, deadline=None)
def test_likeness_does_not_depend_on_the_order_of_a_pair(field: str, pairs: list[tuple[str, str]]) -> None:
    left, right = [one for one, _ in pairs], [two for _, two in pairs]

    assert MEASURES[field](left, right).tolist() == MEASURES[field](right, left).tolist()
