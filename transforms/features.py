"""What the levels of a comparison pattern mean: the features, their levels and which levels compete.

Belongs here: the reading of the pattern integers that sql/resolved/*_pattern.sql writes (four bits a feature, in this
order). Does not: how levels arise (the SQL, kernels/compare.py), what they are worth (learned, model.py).
Surprise: evidence is weighed *inside* a group of levels. A level alone in its group (missing, generic) weighs nothing,
and "same mailbox" competes only with "same domain, other mailbox", so the domain is not counted twice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LEVELS = 16
BITS = 4


@dataclass(frozen=True)
class Level:
    """`code` in the pattern; `group` of competing levels; `m` is where training starts, a share inside the group.

    `u` is a guess at chance agreement inside the group, for groups too rare for a random sample; 0 is none.
    `value_field` and `buckets` name the rows of resolved.<entity>_value whose counts tell how often chance agrees.
    """

    code: int
    name: str
    group: str
    m: float
    value_field: str = ""
    buckets: tuple[int, ...] = ()
    u: float = 0.0


@dataclass(frozen=True)
class Feature:
    name: str
    levels: tuple[Level, ...]


def _missing() -> Level:
    return Level(0, "missing", "missing", 1.0)


def _exact(
    group: str,
    total: float,
    buckets: tuple[tuple[int, ...], ...],
    field: str,
    *,
    first_code: int = 1,
    name: str = "same",
) -> tuple[Level, ...]:
    return tuple(
        Level(first_code + index, f"{name} ({word})", group, total / len(buckets), field, bucket)
        for index, (bucket, word) in enumerate(zip(buckets, _words(len(buckets)), strict=True))
    )


def _words(count: int) -> tuple[str, ...]:
    return {
        3: ("common", "uncommon", "rare"),
        5: ("very common", "common", "middling", "uncommon", "rare"),
        1: ("any",),
    }[count]


_FIVE = ((1,), (2,), (3,), (4,), (5,))
_THREE = ((1, 2), (3,), (4, 5))
_THREE_LOW = ((1,), (2,), (3, 4, 5))
_ALL = ((1, 2, 3, 4, 5),)


def _name_levels(field: str, form: str) -> tuple[Level, ...]:
    return (
        _missing(),
        *_exact("both", 0.85, _FIVE, field),
        Level(6, form, "both", 0.03),
        Level(7, "close", "both", 0.05),
        Level(8, "initial", "both", 0.02),
        Level(9, "similar", "both", 0.02),
        Level(10, "different", "both", 0.03),
    )


def _likeness_levels(field: str) -> tuple[Level, ...]:
    return (
        _missing(),
        *_exact("both", 0.80, _THREE, field),
        Level(4, "close", "both", 0.08),
        Level(5, "similar", "both", 0.04),
        Level(6, "different", "both", 0.08),
    )


_PLACE = Feature(
    "place",
    (
        _missing(),
        *_exact("both", 0.6, _THREE, "postcode", name="same postcode"),
        Level(4, "same city, close postcode", "both", 0.1),
        *_exact("both", 0.15, _THREE_LOW, "city", first_code=5, name="same city"),
        Level(8, "close postcode", "both", 0.03),
        Level(9, "close city", "both", 0.03),
        Level(10, "elsewhere", "both", 0.09),
    ),
)
_EXTERNAL = Feature(
    "external",
    (
        _missing(),
        *_exact("both", 0.85, _ALL, "external"),
        Level(2, "close", "both", 0.1),
        Level(3, "different", "both", 0.05),
    ),
)
_LINKEDIN = Feature(
    "linkedin",
    (
        _missing(),
        *_exact("both", 0.9, _ALL, "linkedin"),
        Level(2, "similar", "both", 0.05),
        Level(3, "different", "both", 0.05),
    ),
)

FEATURES: dict[str, tuple[Feature, ...]] = {
    "contact": (
        Feature("first", (*_name_levels("first", "nickname"), Level(11, "names swapped", "both", 0.005))),
        Feature("last", _name_levels("last", "part of a double name")),
        Feature(
            "middle",
            (
                _missing(),
                Level(1, "same", "both", 0.6),
                Level(2, "same initial", "both", 0.35),
                Level(3, "different", "both", 0.05),
            ),
        ),
        Feature(
            "suffix", (_missing(), Level(1, "same", "both", 0.97, u=0.3), Level(2, "conflict", "both", 0.03, u=0.7))
        ),
        Feature(
            "organisation",
            (
                _missing(),
                *_exact("both", 0.8, _FIVE, "organisation"),
                Level(6, "similar", "both", 0.08),
                Level(7, "different", "both", 0.12),
            ),
        ),
        Feature(
            "mail",
            (
                _missing(),
                Level(1, "same mailbox", "same domain", 0.85, u=0.004),
                Level(2, "same mailbox, two names", "same domain", 0.02, u=0.004),
                Level(3, "same domain, close mailbox", "same domain", 0.06, u=0.012),
                Level(4, "same domain, similar mailbox", "same domain", 0.04, u=0.08),
                Level(5, "same domain, other mailbox", "same domain", 0.03, u=0.9),
                Level(6, "other domain, same local part", "elsewhere", 0.2, u=0.003),
                Level(7, "other domain, close local part", "elsewhere", 0.1, u=0.003),
                Level(8, "other domain, other local part", "elsewhere", 0.3, u=0.98),
                Level(9, "same mailbox, no common employer", "elsewhere", 0.4, "email", (1, 2, 3, 4, 5)),
                Level(10, "same domain, close mailbox, no common employer", "elsewhere", 0.05, u=0.0003),
                Level(11, "same domain, other mailbox, no common employer", "elsewhere", 0.05, u=0.003),
            ),
        ),
        Feature(
            "phone",
            (
                _missing(),
                Level(1, "same", "both", 0.5),
                Level(2, "same, two names", "both", 0.1),
                Level(3, "different", "both", 0.4),
            ),
        ),
        _LINKEDIN,
        Feature("born", _likeness_levels("born")),
        Feature("street", _likeness_levels("street")),
        _PLACE,
        Feature(
            "title",
            (
                _missing(),
                *_exact("both", 0.5, _THREE, "title"),
                Level(4, "similar", "both", 0.2),
                Level(5, "different", "both", 0.3),
            ),
        ),
        _EXTERNAL,
    ),
    "organisation": (
        Feature(
            "name",
            (
                _missing(),
                *_exact("both", 0.6, _FIVE, "name"),
                Level(11, "same but for a region", "both", 0.02),
                Level(6, "same but for spelling", "both", 0.08),
                Level(7, "part or acronym", "both", 0.12),
                Level(8, "close", "both", 0.08),
                Level(9, "similar", "both", 0.05),
                Level(10, "different", "both", 0.07),
            ),
        ),
        Feature(
            "site",
            (
                _missing(),
                *_exact("both", 0.8, _THREE, "site"),
                Level(4, "similar", "both", 0.08),
                Level(5, "different", "both", 0.12),
            ),
        ),
        Feature("phone", (_missing(), *_exact("both", 0.6, _THREE, "phone"), Level(4, "different", "both", 0.4))),
        _LINKEDIN,
        Feature("street", _likeness_levels("street")),
        _PLACE,
        Feature("country", (_missing(), Level(1, "same", "both", 0.98), Level(2, "different", "both", 0.02))),
        _EXTERNAL,
    ),
}


def unpack(patterns: np.ndarray, entity: str) -> np.ndarray:
    """Patterns to levels: one row a pattern, one column a feature."""
    shifts = np.arange(len(FEATURES[entity]), dtype=np.int64) * BITS
    return (patterns[:, None] >> shifts[None, :]) & (LEVELS - 1)
