"""From two records to one integer: the comparison pattern, four bits a feature.

Belongs here: which level each feature of a pair reaches. Does not: what the levels are called and which compete
(features.py), how alike two strings are (compare.py), what a level is worth (learned, model.py).
Surprise: the texts of records arrive as numbers of one common dictionary, so "equal" is a comparison of integers, and
rapidfuzz sees every distinct pair of unequal values once a batch, however many pairs of records show it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.engines.pairing import Side
from transforms.features import BITS, FEATURES
from transforms.kernels.compare import CLOSE, DIFFERENT, INITIAL, MEASURES, SAME_FORM, SIBLING, SIMILAR

RAREST = 5  # the bucket of every value that no table of common values names
PATTERN_SCHEMA = pa.schema([("l", pa.int64()), ("r", pa.int64()), ("is_sample", pa.bool_()), ("pattern", pa.int64())])
COMMON_SCHEMA = pa.schema(
    [("field", pa.string()), ("value", pa.string()), ("bucket", pa.int8()), ("initials", pa.int8())]
)

# The columns of resolved.<entity>_feature that the kernel reads.
COMPARED = {
    "contact": (
        *("source", "first", "middle", "last", "suffix", "email", "local", "mail_domain", "phone", "mobile"),
        *("linkedin", "born", "street", "postcode", "city", "title", "external", "employer", "site", "organisation"),
    ),
    "organisation": (
        *("source", "name", "site", "phone", "linkedin", "street", "postcode", "city", "country", "external"),
    ),
}

Levels = np.ndarray
Rule = tuple[np.ndarray, "int | np.ndarray"]


class Common:
    """What is known of values that are not rare: `bucket` 1 (very common) … 5 (rare), `initials` of their owners."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table  # COMMON_SCHEMA
        self._dictionary: pa.Array | None = None
        self._known: dict[str, pa.Table] = {}

    def of(self, dictionary: pa.Array, name: str, column: str, default: int) -> np.ndarray:
        """One figure per entry of the dictionary."""
        figures = np.full(len(dictionary), default, dtype=np.int8)
        rows = self._places(dictionary).get(name)
        if rows is not None:
            figures[rows["place"].to_numpy()] = rows[column].to_numpy()
        return figures

    def _places(self, dictionary: pa.Array) -> dict[str, pa.Table]:
        """By field the known values that the dictionary has, and where; kept while the same dictionary comes again."""
        if self._dictionary is not dictionary:
            values = pc.unique(self.table["value"])
            found = pc.index_in(dictionary, value_set=values)
            place_of = np.full(len(values), -1, dtype=np.int64)
            met = np.flatnonzero(found.is_valid().to_numpy(zero_copy_only=False))
            place_of[found.drop_null().to_numpy()] = met
            place = place_of[pc.index_in(self.table["value"], value_set=values).to_numpy()]
            rows = self.table.append_column("place", pa.array(place)).filter(pa.array(place >= 0))
            known = {name: rows.filter(pc.equal(rows["field"], name)) for name in pc.unique(rows["field"]).to_pylist()}
            self._known, self._dictionary = known, dictionary
        return self._known


class Facing:
    """Records of a batch, row against row."""

    def __init__(self, left: Side, right: Side, common: Common) -> None:
        self._left, self._right, self._common = left, right, common
        self._codes: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self._likeness: dict[str, np.ndarray] = {}
        self.dictionary = left.dictionary

    def codes(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """The values of both sides as numbers, -1 where there is none."""
        if name not in self._codes:
            self._codes[name] = self._left.codes(name), self._right.codes(name)
        return self._codes[name]

    def missing(self, name: str) -> np.ndarray:
        left, right = self.codes(name)
        return (left < 0) | (right < 0)

    def same(self, name: str, other: str | None = None) -> np.ndarray:
        """Both have a value and it is one; `other` names the right side's column where it is another."""
        left, right = self.codes(name)[0], self.codes(other or name)[1]
        return (left >= 0) & (left == right)

    def bucket(self, name: str) -> np.ndarray:
        """How common the left side's value is; meaningless where there is none."""
        return self._common.of(self.dictionary, name, "bucket", RAREST)[self.codes(name)[0]]

    def initials(self, name: str, column: str) -> np.ndarray:
        """By how many initials of surnames the left side's value is used, at least 1."""
        return self._common.of(self.dictionary, name, "initials", 1)[self.codes(column)[0]]

    def likeness(self, name: str) -> np.ndarray:
        """Of unequal values; DIFFERENT where they are equal or one is missing."""
        if name not in self._likeness:
            self._likeness[name] = self._measured(name)
        return self._likeness[name]

    def _measured(self, name: str) -> np.ndarray:
        left, right = self.codes(name)
        levels = np.full(len(left), DIFFERENT, dtype=np.int8)
        rows = np.flatnonzero((left >= 0) & (right >= 0) & (left != right))
        if len(rows):
            low, high = np.minimum(left[rows], right[rows]), np.maximum(left[rows], right[rows])
            both = pa.array(low.astype(np.int64) << 32 | high).dictionary_encode()
            distinct = both.dictionary.to_numpy()
            texts = (self._texts(distinct >> 32), self._texts(distinct & 0xFFFFFFFF))
            levels[rows] = MEASURES[name](*texts).astype(np.int8)[both.indices.to_numpy()]
        return levels

    def _texts(self, codes: np.ndarray) -> list[str]:
        return self.dictionary.take(pa.array(codes)).to_pylist()

    def __len__(self) -> int:
        return len(self._left)


@dataclass(frozen=True)
class Patterns:
    """The kernel of one entity: pairs with both records -> pairs with their pattern."""

    entity: str
    common: Common

    def __call__(self, pairs: pa.RecordBatch, left: Side, right: Side) -> pa.RecordBatch:
        facing = Facing(left, right, self.common)
        pattern = np.zeros(len(facing), dtype=np.int64)
        for place, feature in enumerate(FEATURES[self.entity]):
            pattern |= LEVELS_OF[self.entity][feature.name](facing).astype(np.int64) << (BITS * place)
        columns = [pairs.column("l"), pairs.column("r"), pairs.column("is_sample"), pa.array(pattern)]
        return pa.RecordBatch.from_arrays(columns, schema=PATTERN_SCHEMA)


def _levels(*rules: Rule, default: int) -> Levels:
    """The first rule that holds decides."""
    return np.select([test for test, _ in rules], [level for _, level in rules], default=default)


def _three(bucket: np.ndarray) -> np.ndarray:
    """Five buckets to three levels: common, uncommon, rare."""
    return np.clip(bucket - 1, 1, 3)


def _name(facing: Facing, name: str, likeness: np.ndarray) -> tuple[Rule, ...]:
    return (
        (facing.missing(name), 0),
        (facing.same(name), facing.bucket(name)),
        (likeness == SAME_FORM, 6),
        (likeness == CLOSE, 7),
        (likeness == INITIAL, 8),
        (likeness == SIMILAR, 9),
    )


def _is_swapped(facing: Facing) -> np.ndarray:
    return facing.same("first", "last") & facing.same("last", "first") & ~facing.same("first")


def _first(facing: Facing) -> Levels:
    return _levels((_is_swapped(facing), 11), *_name(facing, "first", facing.likeness("first")), default=10)


def _last(facing: Facing) -> Levels:
    """Swapped names are said once, by the first name."""
    return _levels((_is_swapped(facing), 0), *_name(facing, "last", facing.likeness("last")), default=10)


def _middle(facing: Facing) -> Levels:
    return _levels(
        (facing.missing("middle"), 0),
        (facing.same("middle"), 1),
        (facing.likeness("middle") == INITIAL, 2),
        default=3,
    )


def _suffix(facing: Facing) -> Levels:
    return _levels((facing.missing("suffix"), 0), (facing.same("suffix"), 1), default=2)


def _has_common_employer(facing: Facing) -> np.ndarray:
    return facing.same("organisation") | _has_similar_employer(facing)


def _has_similar_employer(facing: Facing) -> np.ndarray:
    return facing.same("employer") | facing.same("site") | (facing.likeness("employer") >= SIMILAR)


def _organisation(facing: Facing) -> Levels:
    return _levels(
        (facing.missing("organisation"), 0),
        (facing.same("organisation"), facing.bucket("organisation")),
        (_has_similar_employer(facing), 6),
        default=7,
    )


def _mail(facing: Facing) -> Levels:
    colleagues = _has_common_employer(facing)
    likeness = facing.likeness("local")
    same_domain = facing.same("mail_domain")
    return _levels(
        (facing.missing("email"), 0),
        (facing.same("email") & colleagues, np.where(facing.initials("email", "email") <= 1, 1, 2)),
        (facing.same("email"), 9),
        (same_domain & colleagues & (likeness == CLOSE), 3),
        (same_domain & colleagues & (likeness == SIMILAR), 4),
        (same_domain & colleagues, 5),
        (same_domain & (likeness == CLOSE), 10),
        (same_domain, 11),
        (facing.same("local"), 6),
        (likeness == CLOSE, 7),
        default=8,
    )


def _contact_phone(facing: Facing) -> Levels:
    """Either line of one against either of the other."""
    phone, mobile = facing.codes("phone"), facing.codes("mobile")
    missing = ((phone[0] < 0) & (mobile[0] < 0)) | ((phone[1] < 0) & (mobile[1] < 0))
    by_mobile = facing.same("mobile") | facing.same("mobile", "phone")
    by_phone = facing.same("phone") | facing.same("phone", "mobile")
    return _levels(
        (missing, 0),
        (by_mobile, np.minimum(facing.initials("phone", "mobile"), 2)),
        (by_phone, np.minimum(facing.initials("phone", "phone"), 2)),
        default=3,
    )


def _linkedin(facing: Facing) -> Levels:
    return _levels(
        (facing.missing("linkedin"), 0),
        (facing.same("linkedin"), 1),
        (facing.likeness("linkedin") >= SIMILAR, 2),
        default=3,
    )


def _three_levels(name: str) -> Callable[[Facing], Levels]:
    def levels(facing: Facing) -> Levels:
        likeness = facing.likeness(name)
        return _levels(
            (facing.missing(name), 0),
            (facing.same(name), _three(facing.bucket(name))),
            (likeness == CLOSE, 4),
            (likeness == SIMILAR, 5),
            default=6,
        )

    return levels


def _place(facing: Facing) -> Levels:
    postcode, city = facing.likeness("postcode") >= SIMILAR, facing.likeness("city") >= SIMILAR
    return _levels(
        (facing.same("postcode"), _three(facing.bucket("postcode"))),
        (facing.same("city") & postcode, 4),
        (facing.same("city"), np.clip(facing.bucket("city"), 1, 3) + 4),
        (postcode, 8),
        (city, 9),
        (~facing.missing("city") | ~facing.missing("postcode"), 10),
        default=0,
    )


def _title(facing: Facing) -> Levels:
    return _levels(
        (facing.missing("title"), 0),
        (facing.same("title"), _three(facing.bucket("title"))),
        (facing.likeness("title") >= SIMILAR, 4),
        default=5,
    )


def _external(facing: Facing) -> Levels:
    return _levels(
        (facing.missing("external"), 0),
        (facing.same("external"), 1),
        (facing.likeness("external") >= SIMILAR, 2),
        default=3,
    )


def _organisation_name(facing: Facing) -> Levels:
    likeness = facing.likeness("name")
    return _levels(
        (facing.missing("name"), 0),
        (facing.same("name"), facing.bucket("name")),
        (likeness == SIBLING, 11),
        (likeness == SAME_FORM, 6),
        (likeness == INITIAL, 7),
        (likeness == CLOSE, 8),
        (likeness == SIMILAR, 9),
        default=10,
    )


def _site(facing: Facing) -> Levels:
    return _levels(
        (facing.missing("site"), 0),
        (facing.same("site"), _three(facing.bucket("site"))),
        (facing.likeness("site") >= SIMILAR, 4),
        default=5,
    )


def _organisation_phone(facing: Facing) -> Levels:
    return _levels((facing.missing("phone"), 0), (facing.same("phone"), _three(facing.bucket("phone"))), default=4)


def _country(facing: Facing) -> Levels:
    return _levels((facing.missing("country"), 0), (facing.same("country"), 1), default=2)


LEVELS_OF: dict[str, dict[str, Callable[[Facing], Levels]]] = {
    "contact": {
        "first": _first,
        "last": _last,
        "middle": _middle,
        "suffix": _suffix,
        "organisation": _organisation,
        "mail": _mail,
        "phone": _contact_phone,
        "linkedin": _linkedin,
        "born": _three_levels("born"),
        "street": _three_levels("street"),
        "place": _place,
        "title": _title,
        "external": _external,
    },
    "organisation": {
        "name": _organisation_name,
        "site": _site,
        "phone": _organisation_phone,
        "linkedin": _linkedin,
        "street": _three_levels("street"),
        "place": _place,
        "country": _country,
        "external": _external,
    },
}
