"""Patterns: the same two records give the same integer, whichever stands left, and each level means what it says."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.contracts import ENTITIES
from transforms.engines.pairing import Sides
from transforms.features import FEATURES, unpack
from transforms.kernels.patterns import COMMON_SCHEMA, COMPARED, LEVELS_OF, Common, Patterns

SMITH = {
    "source": "apollo",
    "first": "robert",
    "last": "smith",
    "email": "robert.smith@acme.example",
    "local": "robert.smith",
    "mail_domain": "acme.example",
    "phone": "+442079460000",
    "organisation": "apollo:o1",
    "employer": "acme",
    "site": "acme.example",
}


def _levels(
    left: dict[str, str], right: dict[str, str], *, common: list[tuple[str, str, int, int]] = ()
) -> dict[str, int]:
    known = [dict(zip(COMMON_SCHEMA.names, row, strict=True)) for row in common]
    kernel = Patterns("contact", Common(pa.Table.from_pylist(known, schema=COMMON_SCHEMA)))
    rows = [
        {name: row.get(name) for name in COMPARED["contact"]} | {"rid": rid} for rid, row in ((1, left), (2, right))
    ]
    schema = pa.schema([("rid", pa.int64()), *((name, pa.string()) for name in COMPARED["contact"])])
    sides = Sides(pa.Table.from_pylist(rows, schema=schema).to_batches(), "rid")
    pairs = pa.RecordBatch.from_pydict({"l": [1, 2], "r": [2, 1], "is_sample": [False, False]})

    patterns = kernel(pairs, *sides.of(pairs)).column("pattern").to_numpy()

    assert patterns[0] == patterns[1], "a pattern must not depend on which record stands left"
    names = [feature.name for feature in FEATURES["contact"]]
    return dict(zip(names, unpack(patterns[:1], "contact")[0].tolist(), strict=True))


def test_every_feature_has_its_rule() -> None:
    for entity in ENTITIES:
        assert list(LEVELS_OF[entity]) == [feature.name for feature in FEATURES[entity]]


@pytest.mark.parametrize(
    ("change", "feature", "level"),
    [
        ({}, "first", 5),
        ({"first": "bob"}, "first", 6),
        ({"first": "robret"}, "first", 7),
        ({"first": "r"}, "first", 8),
        ({"first": "alice"}, "first", 10),
        ({"first": None}, "first", 0),
        ({"first": "smith", "last": "robert"}, "first", 11),
        ({"first": "smith", "last": "robert"}, "last", 0),
        ({"last": "smith-jones"}, "last", 6),
        ({}, "mail", 1),
        ({"email": "robert.smyth@acme.example", "local": "robert.smyth"}, "mail", 3),
        ({"email": None, "local": None}, "mail", 0),
        ({"phone": None, "mobile": "+442079460000"}, "phone", 1),
        ({"phone": "+15550100"}, "phone", 3),
        ({"organisation": "zoominfo:9"}, "organisation", 6),
        ({"organisation": "zoominfo:9", "employer": "globex", "site": None}, "organisation", 7),
    ],
)
def test_a_level_means_what_it_says(change: dict[str, str], feature: str, level: int) -> None:
    assert _levels(SMITH, SMITH | change)[feature] == level


def test_how_common_a_value_is_shows_in_its_level() -> None:
    known = [("last", "smith", 1, 1), ("email", "robert.smith@acme.example", 5, 2)]

    levels = _levels(SMITH, SMITH, common=known)

    assert levels["last"] == 1
    assert levels["first"] == 5
    assert levels["mail"] == 2


texts = st.one_of(st.none(), st.text(st.sampled_from("abc -.1é李"), min_size=1, max_size=8))
records = st.fixed_dictionaries(dict.fromkeys(COMPARED["contact"], texts) | {"source": st.just("apollo")})


@given(records, records)
def test_a_pattern_is_symmetric_for_anything(left: dict[str, str], right: dict[str, str]) -> None:
    _levels(left, right)
