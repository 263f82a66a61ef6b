"""The laws of the kernels: contract schema, row by row, any order, any input, the same on a second pass."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.contracts import (
    CONTACT_INPUT,
    ORGANISATION_INPUT,
    STANDARDISED_CONTACT,
    STANDARDISED_ORGANISATION,
    Table,
)
from transforms.kernels.standardise import arrow_schema, content_hashes, standardise_contact, standardise_organisation

Kernel = Callable[[pa.RecordBatch], pa.RecordBatch]
KERNELS = [
    pytest.param(CONTACT_INPUT, STANDARDISED_CONTACT, standardise_contact, id="contact"),
    pytest.param(ORGANISATION_INPUT, STANDARDISED_ORGANISATION, standardise_organisation, id="organisation"),
]
PIECES = [
    *("", " ", "\x00", "\x1f", "\x7f", "\u200b", "\u202e", "\ufeff", "\ud800", "\U0001f680", "\U0001f1ec\U0001f1e7", "\u20e3"),
    *("&amp;", "&#0;", "&#x110000;", "&#99999999;", "&lt;b&gt;", "<b>", "<", ">", "<script>alert(1)</script>", "]]>"),
    *("N/A", "NULL", "None", "-", "--", "''", '"', "\\", "%00", "%", "%zz", "; drop table contact", "../..", "{}", "[]"),
    *("O'Brien", "van der Berg", "Smith, John, Jr., PhD", "Dr.", "PhD", "III", ",", ", ,", "(Bob)", "(", '"Al"', "Jr."),
    *("a@b", "a@b.c", "@", "@@", "a@-b.com", "a@" + "b" * 64 + ".com", "mailto:", "mailto:?", "<a@b.com", "ä@ö.ü", "a@xn--.com"),
    *("+", "+0", "++44", "00", "011", "x", "ext", "ext. 5", "+44 (0)", "1-800-", "FLOWERS", "(((", "٠", "०१२३४५६७", "²³¹⁴⁵⁶⁷"),
    *("http://", "https://[::1]/", "//", "///", "http:///x", "www.", "www", ".", "..", ".com", "a..b", "xn--", "xn--a.com", "💩.la"),
    *("co.uk", "1.2.3.4", "1.2.3", "http://user:pw@", "localhost:80", "a" * 300 + ".com", "linkedin.com/in/", "/in/%", "in/%00"),
    *("linkedin.com/pub/a/b/c/d/e", "linkedin.com/company//", "https://linkedin.com/in/" + "x" * 500, "/in/\ud800"),
    *("GmbH", "& Co. KG", "Ltd Ltd Ltd", "The", "the the", "株式会社", "有限公司", "ООО Ромашка", "شركة", "Α.Ε.", "z o.o.", "I B M"),
    *("1-", "-1", "1--2", "1,2,3", "1,000,000,000,000", "k", "1k", "1.5k-2k", "9" * 100, "٣-٥", "1e9", "NaN", "inf", "> <"),
    *("0000-00-00", "9999-99-99", "2026-02-30", "31/31/2026", "0/0/0000", "20261332", "Feb 30, 2026", "T", "1/2/3", "2026-1-1T"),
    *("US", "us", "U.S.A.", "UK", "Narnia", "England", "CA", "ca.", "00000", "1", "12345-6789", "SW1A 1AA", "2139.0", "ß", "İ", "ı"),
    *("\u0301", "e\u0301", "ﬁ", "ﷺ", "𝕬𝖓𝖓", "ａｎｎ", "\n\r\t", "\u2028", "a\u00a0b", "Ǆ", "א", "ที่", "한국", "𓀀", "\U000e0041"),
    *("=cmd|' /C calc'!A0", "@SUM(1)", "${jndi:ldap://x}", "{{7*7}}", "%s%n", "a\u0000b", "\\N", "\\u0041", "0x41", "1/0", "\x1b[31m"),
    *("Ⅷ", "①", "½", "１２３", "−5", "12e3", "0.0", "-0", "+-5", "00:00", "24:61", "١٢/٣/٢٠٢٦", "平成", "\u180e", "\ufffd", "\ufffe"),
    *("verified", "true", "False", "eu", "EU", "c_suite", "C-Level,VP-Level", '["C-Level"]', "apollo:name:x", "x" * 5000),
]  # fmt: skip


def test_there_are_enough_nasty_pieces() -> None:
    assert len(set(PIECES)) >= 200


def batch_of(table: Table, rows: list[dict[str, Any]]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(rows, schema=arrow_schema(table))


def printable(text: str) -> str:
    """Arrow holds no lone surrogate, so none ever arrives in a batch (the intake quarantines them before)."""
    return text.encode("utf-8", "ignore").decode("utf-8")


def nasty_rows(table: Table, count: int, seed: int) -> list[dict[str, Any]]:
    dice = random.Random(seed)
    return [{**nasty_row(table, dice), "record_key": f"s:{number}", "source": "s"} for number in range(count)]


def nasty_row(table: Table, dice: random.Random) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for column in table.columns:
        if column.type == "varchar":
            pieces = dice.choices(PIECES, k=dice.choice([0, 1, 1, 2, 3]))
            values[column.name] = printable(dice.choice(["", " ", "."]).join(pieces)) if pieces else None
        elif column.type == "boolean":
            values[column.name] = dice.choice([None, True, False])
        elif column.type == "timestamp":
            values[column.name] = dice.choice([None, datetime(2026, 1, 2, 3, 4, 5)])
    return values


@pytest.mark.parametrize(("said", "made", "kernel"), KERNELS)
def test_the_output_has_the_contracts_columns_in_order(said: Table, made: Table, kernel: Kernel) -> None:
    for count in (0, 1, 7):
        out = kernel(batch_of(said, nasty_rows(said, count, seed=1)))

        assert out.schema == arrow_schema(made)
        assert out.num_rows == count


@pytest.mark.parametrize(("said", "made", "kernel"), KERNELS)
def test_nothing_a_source_says_can_stop_a_run(said: Table, made: Table, kernel: Kernel) -> None:
    """Every nasty piece in every column, alone and mixed; blank text never survives as a value."""
    texts = [column.name for column in said.columns if column.type == "varchar"]
    alone = [
        dict.fromkeys(texts, printable(piece)) | {"record_key": f"s:{number}", "source": "s"}
        for number, piece in enumerate(PIECES)
    ]

    out = kernel(batch_of(said, alone + nasty_rows(said, 1_500, seed=2)))

    keys = {"record_key", "source", "source_id", "organisation_key", "parent_key"}
    for name in set(out.schema.names) - keys:
        if pa.types.is_string(out.schema.field(name).type):
            assert not any(value is not None and value.strip() != value for value in out.column(name).to_pylist()), name
            assert "" not in out.column(name).to_pylist(), name


@pytest.mark.parametrize(("said", "made", "kernel"), KERNELS)
def test_folded_columns_are_ascii(said: Table, made: Table, kernel: Kernel) -> None:
    out = kernel(batch_of(said, nasty_rows(said, 500, seed=3)))

    for name in out.schema.names:
        if name.endswith("_fold"):
            assert all(value is None or value.isascii() for value in out.column(name).to_pylist()), name


@pytest.mark.parametrize(("said", "made", "kernel"), KERNELS)
@given(seed=st.integers(0, 1_000))
def test_a_row_means_the_same_alone_and_in_any_company(said: Table, made: Table, kernel: Kernel, seed: int) -> None:
    """Batches are cut and ordered by the engine; two engines cut differently and must agree."""
    rows = nasty_rows(said, 12, seed)
    shuffled = random.Random(seed).sample(rows, len(rows))

    together = {row["record_key"]: row for row in kernel(batch_of(said, rows)).to_pylist()}
    apart = [kernel(batch_of(said, shuffled[:5])), kernel(batch_of(said, shuffled[5:]))]

    assert {row["record_key"]: row for part in apart for row in part.to_pylist()} == together


ORDINARY = {
    "source": "apollo", "source_id": "1", "first_name": "dr. ORLA", "last_name": "O'BRIEN-SMITH, PhD", "name_suffix": "jr.",
    "email": "MAILTO:Orla+x@Brackwell.co.uk", "phone": "(020) 7946 0011 x5", "mobile": "07400 123456",
    "job_title": "Sr. VP of Sales &amp; Ops", "organisation_name": "Brackwell &amp; Co. Ltd", "seniority": "VP-Level",
    "organisation_domain": "http://www.brackwell.co.uk/x", "linkedin_url": "uk.linkedin.com/in/Orla-O%27Brien/",
    "street": "12 High Street", "city": "LONDON", "state": "Greater London", "postcode": "sw1a 1aa", "country": "England",
    "date_of_birth": "3/4/1980", "email_status": "verified", "notice_date": "2026-01-02T00:00:00Z",
}  # fmt: skip


def test_standardising_the_standardised_changes_nothing() -> None:
    """Values as shown in golden may come back through a file; they must not drift."""
    row = {"record_key": "apollo:1", **ORDINARY}

    once = standardise_contact(batch_of(CONTACT_INPUT, [row])).to_pylist()[0]
    again = {name: once[name] for name in CONTACT_INPUT.column_names}
    twice = standardise_contact(batch_of(CONTACT_INPUT, [again])).to_pylist()[0]

    drifted = {name for name in once if once[name] != twice[name]}
    assert drifted <= {"phone_ext", "content_hash"}  # an extension has no column of its own in the input
    assert (once["email"], once["phone"], once["phone_ext"]) == ("orla+x@brackwell.co.uk", "+442079460011", "5")


def test_missing_columns_count_as_empty() -> None:
    """`resolve` hands over what its file has; a file without phones is not a defect."""
    batch = pa.RecordBatch.from_pylist([{"record_key": "f:1", "source": "f", "last_name": "Lee"}])

    row = standardise_contact(batch).to_pylist()[0]

    assert (row["last_fold"], row["phone"], row["source_id"]) == ("lee", None, None)


def test_the_content_hash_knows_every_column_but_the_key() -> None:
    base = {"record_key": "apollo:1", **ORDINARY, "phone_do_not_call": False, "source_updated_at": datetime(2026, 1, 1)}
    changes: dict[str, Any] = {
        "phone_do_not_call": True,
        "mobile_do_not_call": False,
        "external_id": "7",
        "region": "canada",
    }
    changes |= {"source_updated_at": datetime(2026, 1, 2), "job_title": "CTO", "middle_name": "Q"}
    rows = [base, {**base, "record_key": "apollo:2"}, *({**base, name: value} for name, value in changes.items())]

    hashes = standardise_contact(batch_of(CONTACT_INPUT, rows)).column("content_hash").to_pylist()

    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == len(rows) - 1


def test_a_value_in_another_column_or_null_against_blank_is_another_content() -> None:
    columns = [pa.array(["a", None, "", "a\x1f"]), pa.array([None, "a", "a", ""])]

    assert len(set(content_hashes(columns))) == 4


def test_a_moment_with_an_offset_becomes_utc() -> None:
    moment = pa.array([datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)], pa.timestamp("us", tz="UTC"))
    batch = pa.RecordBatch.from_arrays(
        [pa.array(["a:1"]), pa.array(["a"]), moment], ["record_key", "source", "source_updated_at"]
    )

    assert standardise_contact(batch).to_pylist()[0]["source_updated_at"] == datetime(2026, 1, 2, 3, 4, 5)


def test_free_mail_and_shared_hosts_name_no_employer() -> None:
    """Else all of a source's gmail users would work for one company."""
    said = [("gmail.com", "Lee Ltd"), ("https://www.linkedin.com/company/lee", "Lee Ltd"), ("gmail.com", None)]
    rows = [
        {"record_key": f"f:{number}", "source": "f", "organisation_domain": domain, "organisation_name": name}
        for number, (domain, name) in enumerate(said)
    ]

    keys = standardise_contact(batch_of(CONTACT_INPUT, rows)).column("organisation_key").to_pylist()

    assert keys == ["f:name:lee", "f:name:lee", None]
