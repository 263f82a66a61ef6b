"""Columns against values: the short ways in Arrow never say other than the function of one value."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pytest
import tldextract
from hypothesis import given
from hypothesis import strategies as st

from transforms.kernels import emails, links, names, phones
from transforms.kernels.columns import on_distinct, on_each, struct_of, where_sure
from transforms.kernels.suffixes import registrable

REGIONS = ("US", "CA", "GB", "DE", "FR", "AU", "IT", "AR", "MX", "JP", "RU", "SG", "JM", "KZ", "IM", "XX")


class ShortWay(NamedTuple):
    """A function, its short way, ordinary values that the short way must know, pieces to make nasty ones of."""

    function: Callable[..., Any]
    plain: Callable[..., pa.Array]
    kind: type[tuple[Any, ...]]
    ordinary: list[str]
    pieces: str | list[str]


SHORT_WAYS = {
    "email": ShortWay(
        emails.parse,
        emails.plain,
        emails.Email,
        ["orla.kennedy@brackwell.co.uk", "DTHAMAN@YORKWAY-GROUP.CA", "a_b@x.io", "info@4u.com"],
        ["a", "Z9", ".", "..", "-", "_", "+", "@", "@b.com", ".co.uk", "<", ">", " ", ";", "mailto:", "?", "é", "K", "email_not_unlocked",
         "x" * 62, "&amp;", "none", "\n", "xn--", "1"],
    ),
    "person": ShortWay(
        links.linkedin_person,
        links.plain_person,
        links.LinkedIn,
        ["https://www.linkedin.com/in/orla-kennedy-000", "uk.linkedin.com/in/Orla?trk=public_profile", "http://linkedin.com/in/o1/"],
        ["https://", "http://", "www.", "uk.", "linkedin.com", "linkedin.de", "/in/", "/pub/", "/company/", "in/", "orla", "nan", "NaN", "null", "-",
         "_", ".", "/", "?", "#", "trk=a", "&", "<b>", "%20", "é", " ", "x" * 190, "\n"],
    ),
    "company": ShortWay(
        links.linkedin_company,
        links.plain_company,
        links.LinkedIn,
        ["https://www.linkedin.com/company/brackwell", "linkedin.com/school/of-life/", "https://de.linkedin.com/showcase/x9"],
        ["https://", "www.", "linkedin.com", "/in/", "/company/", "/school/", "/showcase/", "/organization/", "brackwell", "unknown", "n/a", "-", "_",
         ".", "/", "?", "#", "trk=a", "&", "<b>", "%2F", "ß", " ", "x" * 190],
    ),
}  # fmt: skip

PHONE_PIECES = [
    *("+", "00", "011", "0", "1", "44", "49 ", "33", "(0)", "(", ")", " ", "-", ".", ".0", "/", "x", " ext. 12", "x5", ",,3", "#9"),
    *("20 7946 0011", "2025550123", "(416) 555-0424", "7400 123456", "30 901820", "555", "0000000", "1111111111", "876 926 1234", "é", "\n"),
]  # fmt: skip


def _pieced(pieces: str | list[str], sizes: int = 7) -> st.SearchStrategy[str | None]:
    return st.none() | st.lists(st.sampled_from(pieces), max_size=sizes).map("".join)


@pytest.mark.parametrize("name", SHORT_WAYS)
@given(data=st.data())
def test_a_short_way_says_what_the_function_says_or_nothing(name: str, data: st.DataObject) -> None:
    way = SHORT_WAYS[name]
    nasty = st.lists(
        _pieced(way.pieces) | st.sampled_from(way.ordinary) | st.text(max_size=20), min_size=1, max_size=40
    )
    texts = [text and text.encode("utf-8", "ignore").decode() for text in data.draw(nasty)]

    answers = way.plain(pa.array(texts, pa.string())).to_pylist()

    wrong = {
        text: answer
        for text, answer in zip(texts, answers, strict=True)
        if answer and answer != way.function(text)._asdict()
    }
    assert wrong == {}


@pytest.mark.parametrize("name", SHORT_WAYS)
def test_a_short_way_knows_what_is_ordinary(name: str) -> None:
    """Else it would be right about nothing, and every value would take the long way unseen."""
    way = SHORT_WAYS[name]

    assert way.plain(pa.array(way.ordinary)).to_pylist() == [way.function(text)._asdict() for text in way.ordinary]


@given(rows=st.lists(st.tuples(_pieced(PHONE_PIECES), st.none() | st.sampled_from(REGIONS)), min_size=1, max_size=40))
def test_the_short_way_of_phones_says_what_the_library_says(rows: list[tuple[str | None, str | None]]) -> None:
    texts, countries = (pa.array(column, pa.string()) for column in zip(*rows, strict=True))

    answers = phones.plain(texts, countries).to_pylist()

    wrong = {
        row: answer
        for row, answer in zip(rows, answers, strict=True)
        if answer and answer != phones.parse(*row)._asdict()
    }
    assert wrong == {}


def test_the_short_way_of_phones_knows_what_is_ordinary() -> None:
    rows = [
        ("+44 20 7946 0011", None), ("(020) 7946 0011", "GB"), ("0044 7400 123456", "DE"), ("0049 30 901820", None),
        ("202.555.0123 x12", "US"), ("1-416-555-0424", "CA"), ("+1 876 926 1234 ext. 5", None), ("030 901820", "DE"),
    ]  # fmt: skip
    texts, countries = (pa.array(column, pa.string()) for column in zip(*rows, strict=True))

    assert phones.plain(texts, countries).to_pylist() == [phones.parse(*row)._asdict() for row in rows]


NAME_PIECES = [
    "Ann",
    "LEE",
    "mc",
    "O'Brien",
    "van der",
    "Berg",
    "Dr.",
    "Jr.",
    "PhD",
    "III",
    ",",
    " ",
    " ",
    "Q.",
    "(Bob)",
    '"',
    "@",
    "-",
    "É",
    "n/a",
    "1",
]


@given(rows=st.lists(st.tuples(*[_pieced(NAME_PIECES, 5)] * 5), max_size=30))
def test_names_in_columns_are_parted_as_one_name_is(rows: list[tuple[str | None, ...]]) -> None:
    rows += [("Ann", None, "Lee", None, "Ann Lee"), ("Ann", None, "Lee", None, "Ann Q. Lee"), (None,) * 5]
    columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]

    people = names.parse_all(*columns).to_pylist()

    assert people == [names.parse(*row)._asdict() for row in rows]


def test_an_email_status_in_a_column_is_that_of_one_address() -> None:
    said = [None, "verified", "risky", "guessed", "invalid", "unknown", "catch all"]
    rows = [
        (email, status) for email in (emails.NO_EMAIL, emails.BROKEN_EMAIL, emails.parse("a@b.com")) for status in said
    ]
    fields = [
        pa.array(column, field.type)
        for column, field in zip(zip(*(row[0] for row in rows), strict=True), struct_of(emails.Email), strict=True)
    ]
    parsed = pa.StructArray.from_arrays(fields, names=emails.Email._fields)

    statuses = emails.statuses(parsed, pa.array([row[1] for row in rows], pa.string())).to_pylist()

    assert statuses == [emails.status(*row) for row in rows]


def test_each_distinct_row_is_worked_out_once_and_null_is_a_value() -> None:
    calls: list[tuple[str | None, str | None]] = []

    def joined(left: str | None, right: str | None) -> str | None:
        calls.append((left, right))
        return f"{left}{right}" if left else None

    left = pa.array(["a", None, "a", "b", None, "a", None])
    right = pa.array(["x", "x", "x", "a", "x", None, None])

    assert on_distinct(joined, left, right).to_pylist() == ["ax", None, "ax", "ba", None, "aNone", None]
    assert sorted(calls, key=str) == sorted({("a", "x"), (None, "x"), ("b", "a"), ("a", None), (None, None)}, key=str)
    assert on_distinct(joined, left[:0], right[:0]).to_pylist() == []


def test_the_long_way_is_asked_only_where_the_short_way_is_not_sure() -> None:
    class Half(NamedTuple):
        text: str | None
        is_even: bool

    asked: list[str | None] = []

    def function(text: str | None) -> Half:
        asked.append(text)
        return Half(None, is_even=False)

    def plain(texts: pa.Array) -> pa.Array:
        return where_sure(pa.array([True, False, None, True]), Half, texts, pa.array([True] * 4))

    answers = on_each(function, pa.array(["a", "b", None, "d"]), kind=Half, plain=plain).to_pylist()

    assert asked == ["b", None]
    assert [answer["text"] for answer in answers] == ["a", None, None, "d"]
    assert [answer["is_even"] for answer in answers] == [True, False, False, True]


def test_a_site_follows_every_rule_of_the_suffix_list_as_tldextract_does() -> None:
    extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)
    rules = [rule.lstrip("!") for rule in extract.tlds if rule.isascii()]
    hosts = {head + rule.replace("*", label) for rule in rules for head in ("", "a.", "b.a.") for label in ("q", "www")}
    hosts |= {rule.partition(".")[2] for rule in rules} | {
        "brackwell.xn--p1ai",
        "xn--55qx5d.cn",
        "a.xn--55qx5d.cn",
        "a.nosuchlabel",
    }

    def as_library(host: str) -> str | None:
        found = extract(host)
        if not found.suffix:
            return ".".join(host.split(".")[-2:])
        return f"{found.domain}.{found.suffix}" if found.domain else None

    hosts = {host for host in hosts if "." in host}
    assert len(hosts) > 20_000
    assert {host: registrable(host) for host in hosts} == {host: as_library(host) for host in hosts}


def test_the_kernels_do_not_import_what_a_small_run_never_needs() -> None:
    """tldextract alone brings requests: 0.15 s of a run of one second."""
    code = "import sys, transforms.kernels.standardise; print(sorted({'tldextract', 'requests', 'dlt'} & set(sys.modules)))"

    found = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )

    assert found.stdout.strip() == "[]"
