"""Numbering plans: the short way to a valid number, for the nine of ten that are typed without a trick.

Belongs here: phonenumbers' own metadata, asked directly. Does not: odd spellings; those take the library's long way.
Surprise: it answers only what it is sure of. None means "ask the library", never "not valid". Tests hold it to the
library's answers. The library takes 35 microseconds a number and this 5; a million contacts have two million numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import phonenumbers
import pyarrow as pa
import pyarrow.compute as pc
from phonenumbers.phonemetadata import PhoneMetadata, PhoneNumberDesc

from transforms.kernels.columns import on_distinct

# In this order the commonest kinds come first; the library's UNKNOWN is "none of these".
_KINDS = ("fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "voip", "personal_number", "pager", "uan",
          "voicemail")  # fmt: skip
_CODE_LENGTH_MAX = 3


@dataclass(frozen=True)
class _Pattern:
    lengths: frozenset[int]
    regex: str

    def fits(self, national: str) -> bool:
        return len(national) in self.lengths and _compiled(self.regex).fullmatch(national) is not None

    def all_fit(self, nationals: pa.Array) -> pa.Array:
        has_length = pc.is_in(pc.binary_length(nationals), pa.array(sorted(self.lengths), pa.int32()))
        return pc.and_(has_length, pc.match_substring_regex(nationals, f"^(?:{self.regex})$"))


@dataclass(frozen=True)
class _Plan:
    """What one region's numbers look like; `trunk` is what stands before a national number, None where none does."""

    country_code: str
    trunk: str | None
    has_rule: bool
    international_prefix: str | None
    leading: str | None
    general: _Pattern
    kinds: tuple[_Pattern, ...]

    def is_valid(self, national: str) -> bool:
        return self.general.fits(national) and any(kind.fits(national) for kind in self.kinds)

    def are_valid(self, nationals: pa.Array) -> pa.Array:
        if len(nationals) == 0:
            return pa.array([], pa.bool_())
        is_of_a_kind = pa.repeat(False, len(nationals))
        for kind in self.kinds:
            is_of_a_kind = pc.or_(is_of_a_kind, kind.all_fit(nationals))
        return pc.and_(self.general.all_fit(nationals), is_of_a_kind)


def international(digits: str) -> str | None:
    """E.164 of digits that begin with a country code; None where they are not plainly a valid number."""
    code = _country_code(digits)
    if code is None:
        return None
    return "+" + digits if _is_valid(_plans(code), digits[len(code) :]) else None


def national(digits: str, region: str) -> str | None:
    """E.164 of digits in the national form of a region; None where they are not plainly a valid number."""
    plan = _plan(region)
    if plan is None or plan.has_rule:
        return None
    trunk = _compiled(plan.trunk).match(digits) if plan.trunk else None
    if trunk is None and plan.trunk is not None and digits.startswith(plan.country_code):
        return None  # may be an international number without its "+"
    significant = digits[trunk.end() :] if trunk else digits
    return f"+{plan.country_code}{significant}" if _is_valid(_plans(plan.country_code), significant) else None


def internationals(digits: pa.Array) -> pa.Array:
    """`international` of every value."""
    codes = on_distinct(_country_code, pc.utf8_slice_codeunits(digits, 0, _CODE_LENGTH_MAX))

    def of_code(code: str, digits: pa.Array) -> pa.Array:
        is_valid = _are_valid(_plans(code), pc.utf8_slice_codeunits(digits, len(code)))
        return pc.if_else(is_valid, pc.binary_join_element_wise("+", digits, ""), None)

    return _by_group(of_code, codes, digits)


def nationals(digits: pa.Array, regions: pa.Array) -> pa.Array:
    """`national` of every value."""

    def of_region(region: str, digits: pa.Array) -> pa.Array:
        plan = _plan(region)
        if plan is None or plan.has_rule:
            return pa.nulls(len(digits), pa.string())
        significant, is_clear = digits, True
        if plan.trunk is not None:
            trunk = f"^(?:{plan.trunk})"
            significant = pc.replace_substring_regex(digits, trunk, "", max_replacements=1)
            is_clear = pc.or_(
                pc.match_substring_regex(digits, trunk), pc.invert(pc.starts_with(digits, plan.country_code))
            )
        is_valid = pc.and_(is_clear, _are_valid(_plans(plan.country_code), significant))
        return pc.if_else(is_valid, pc.binary_join_element_wise("+" + plan.country_code, significant, ""), None)

    return _by_group(of_region, regions, digits)


def dials_00(region: str | None) -> bool:
    """Whether 00, and nothing else, leads out of the region; without a region 00 can mean nothing else."""
    plan = _plan(region) if region is not None else None
    return region is None or (plan is not None and plan.international_prefix == "00")


def _by_group(function: Callable[[str, pa.Array], pa.Array], groups: pa.Array, values: pa.Array) -> pa.Array:
    """A function of a group and its values, for every group; null where either is missing."""
    answers = pa.nulls(len(values), pa.string())
    for group in pc.unique(groups).drop_null().to_pylist():
        is_mine = pc.and_(pc.fill_null(pc.equal(groups, group), False), values.is_valid())
        answers = pc.replace_with_mask(answers, is_mine, function(group, values.filter(is_mine)))
    return answers


def _is_valid(plans: tuple[_Plan, ...], national_number: str) -> bool:
    """Whether the region that owns the number, among those that share its country code, knows it as valid."""
    if len(plans) == 1:
        return plans[0].is_valid(national_number)
    for plan in plans:
        if plan.leading is not None:
            if _compiled(plan.leading).match(national_number):
                return plan.is_valid(national_number)
        elif plan.is_valid(national_number):
            return True
    return False


def _are_valid(plans: tuple[_Plan, ...], nationals: pa.Array) -> pa.Array:
    """`_is_valid` of every value: each plan in turn is asked about the numbers that none before it decided."""
    if len(plans) == 1:
        return plans[0].are_valid(nationals)
    are_valid = np.zeros(len(nationals), bool)
    undecided = np.arange(len(nationals))
    for plan in plans:
        mine = undecided
        if plan.leading is not None:
            mine = mine[_mask(pc.match_substring_regex(nationals.take(pa.array(mine)), f"^(?:{plan.leading})"))]
        valid = mine[_mask(plan.are_valid(nationals.take(pa.array(mine))))]
        are_valid[valid] = True
        undecided = np.setdiff1d(undecided, valid if plan.leading is None else mine, assume_unique=True)
    return pa.array(are_valid)


def _mask(column: pa.Array) -> np.ndarray:
    return column.to_numpy(zero_copy_only=False)


def _country_code(digits: str | None) -> str | None:
    """The country code that the digits begin with."""
    codes = (digits[:length] for length in range(1, _CODE_LENGTH_MAX + 1)) if digits else ()
    return next((code for code in codes if _plans(code)), None)


@cache
def _plans(country_code: str) -> tuple[_Plan, ...]:
    """Plans of the regions under a country code, the main one first; none where it is no geographic code."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(country_code), ()) if country_code.isdecimal() else ()
    plans = tuple(plan for plan in map(_plan, regions) if plan is not None)
    return plans if country_code[:1] != "0" else ()


@cache
def _plan(region: str) -> _Plan | None:
    metadata = PhoneMetadata.metadata_for_region(region, None)
    if metadata is None:
        return None
    kinds = [_pattern(getattr(metadata, kind)) for kind in _KINDS]
    general = _pattern(metadata.general_desc)
    assert general is not None, f"{region} has no general description"
    return _Plan(
        country_code=str(metadata.country_code),
        trunk=metadata.national_prefix_for_parsing,
        has_rule=metadata.national_prefix_transform_rule is not None,
        international_prefix=metadata.international_prefix,
        leading=metadata.leading_digits,
        general=general,
        kinds=tuple(kind for kind in kinds if kind is not None),
    )


def _pattern(description: PhoneNumberDesc | None) -> _Pattern | None:
    if description is None or description.national_number_pattern is None:
        return None
    return _Pattern(frozenset(description.possible_length), description.national_number_pattern)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
