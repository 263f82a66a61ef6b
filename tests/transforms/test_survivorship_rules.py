"""A rules file that is wrong gives one line: file, group, what was found, what was expected. The shipped one is right."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from transforms.survivorship.locks import LOCK_SCHEMA, LockError, checked
from transforms.survivorship.rules import SHIPPED, RulesError, load_rules, shipped_rules

NAME_SUFFIX = '{ fields = ["name_suffix"], rules = ["vote", "recency", "priority"] }'
EMAIL = '{ fields = ["email", "email_status"], rules = ["employer", "verified", "vote", "recency", "priority"] }'
MOBILE = (
    '{ fields = ["mobile", "mobile_do_not_call"], rules = ["vote", "recency", "priority"], any = "mobile_do_not_call" }'
)
HEADS = '{ fields = ["employees_min", "employees_max"], rules = ["recency", "vote", "priority"] }'
WEBSITE = '{ fields = ["website"], rules = ["vote", "recency", "priority"] }'

# what is replaced in the shipped file, by what, and the line that follows the file's name
WRONG = {
    "unknown field": (
        '"name_suffix"',
        '"name_sufix"',
        "contact group 5 (name_sufix): golden.contact has no column 'name_sufix'; did you mean 'name_suffix'?",
    ),
    "unknown rule": (
        EMAIL,
        EMAIL.replace('"verified"', '"verifed"'),
        "contact group 6 (email, email_status): unknown rule 'verifed'; did you mean 'verified'?",
    ),
    "a rule like no other": (
        NAME_SUFFIX,
        NAME_SUFFIX.replace('"vote"', '"xyz"'),
        "contact group 5 (name_suffix): unknown rule 'xyz'; expected one of: vote, recency, verified, priority, longest, "
        "leading, completeness, employer.",
    ),
    "lock as a rule": (
        NAME_SUFFIX,
        NAME_SUFFIX.replace('"vote"', '"lock"'),
        "contact group 5 (name_suffix): 'lock' is no rule to name: what a steward locked always wins; delete it.",
    ),
    "a field in two groups": (
        NAME_SUFFIX,
        NAME_SUFFIX.replace('"name_suffix"', '"name_suffix", "email"'),
        "contact group 6 (email, email_status): field 'email' is already in contact group 5 (name_suffix, email); "
        "name each field once.",
    ),
    "a field without a group": (
        f"  {NAME_SUFFIX},\n",
        "",
        "contact: no group has name_suffix; every value column of golden.contact needs one.",
    ),
    "a rule twice": (
        NAME_SUFFIX,
        NAME_SUFFIX.replace('"recency"', '"vote"'),
        "contact group 5 (name_suffix): rule 'vote' is there twice; name it once.",
    ),
    "longest of numbers": (
        HEADS,
        HEADS.replace('"recency"', '"longest"'),
        "organisation group 9 (employees_min, employees_max): rule 'longest' compares texts, but employees_min is bigint; "
        "use another rule.",
    ),
    "longest of a boolean": (
        MOBILE,
        '{ fields = ["mobile_do_not_call", "mobile"], rules = ["longest"] }',
        "contact group 8 (mobile_do_not_call, mobile): rule 'longest' compares texts, but mobile_do_not_call is boolean; "
        "use another rule.",
    ),
    "any of a text": (
        MOBILE,
        '{ fields = ["mobile_do_not_call", "mobile"], rules = ["vote"], any = "mobile" }',
        "contact group 8 (mobile_do_not_call, mobile): any = 'mobile' is varchar, expected a boolean column; delete it.",
    ),
    "any of another group": (
        MOBILE,
        MOBILE.replace('any = "mobile_do_not_call"', 'any = "phone_do_not_call"'),
        "contact group 8 (mobile, mobile_do_not_call): any = 'phone_do_not_call' is not a field of this group after its "
        "first; name one of them.",
    ),
    "verified without a status": (
        WEBSITE,
        WEBSITE.replace('"vote"', '"verified"'),
        "organisation group 3 (website): rule 'verified' goes by email_status, which is not in this group; "
        "use another rule.",
    ),
    "employer of an organisation": (
        WEBSITE,
        WEBSITE.replace('"vote"', '"employer"'),
        "organisation group 3 (website): rule 'employer' follows a contact's organisation_golden_id, so not here; "
        "use another rule.",
    ),
    "employer of itself": (
        '{ fields = ["organisation_golden_id"], rules = ["vote"',
        '{ fields = ["organisation_golden_id"], rules = ["employer"',
        "contact group 1 (organisation_golden_id): rule 'employer' follows a contact's organisation_golden_id, so not "
        "here; use another rule.",
    ),
    "completeness of one field": (
        WEBSITE,
        WEBSITE.replace('"vote"', '"completeness"'),
        "organisation group 3 (website): rule 'completeness' counts the fields of a group, but this has one; "
        "use another rule.",
    ),
    "leading in a tight group": (
        EMAIL,
        EMAIL.replace('"vote"', '"leading"'),
        "contact group 6 (email, email_status): rule 'leading' is for groups with loose = true; "
        "add that or use another rule.",
    ),
    "loose with one field": (
        NAME_SUFFIX,
        NAME_SUFFIX.replace(" }", ", loose = true }"),
        "contact group 5 (name_suffix): loose is about the fields after the first, but this has one; delete it.",
    ),
    "more agreement than sources": (
        NAME_SUFFIX,
        NAME_SUFFIX.replace(" }", ", agreement = 4 }"),
        "contact group 5 (name_suffix): agreement is 4: Input should be less than or equal to 3.",
    ),
    "agreement that is no number": (
        NAME_SUFFIX,
        NAME_SUFFIX.replace(" }", ", agreement = true }"),
        "contact group 5 (name_suffix): agreement is True: Input should be a valid integer.",
    ),
    "an unknown key": (
        NAME_SUFFIX,
        NAME_SUFFIX.replace("rules =", "rule ="),
        "contact group 5 (name_suffix): rules is missing; add it.",
    ),
    "a key too many": (
        NAME_SUFFIX,
        NAME_SUFFIX.replace(" }", ", lose = true }"),
        "contact group 5 (name_suffix): unknown key 'lose'; did you mean 'loose'?",
    ),
    "a table too many": (
        "[organisation]",
        "[company]\n[organisation]",
        "unknown key 'company'; expected one of: sources, ",
    ),
    "an entity without groups": ("[contact]\ngroups", "[contact]\nteams", "contact: groups is missing; add it."),
    "no rules": (
        NAME_SUFFIX,
        '{ fields = ["name_suffix"], rules = [] }',
        "contact group 5 (name_suffix): rules is []: ",
    ),
    "rules that are no list": (
        NAME_SUFFIX,
        '{ fields = ["name_suffix"], rules = "vote" }',
        "contact group 5 (name_suffix): rules is 'vote': Input should be a valid tuple.",
    ),
    "a group that is no table": (NAME_SUFFIX, '"name_suffix"', "contact group 5: it is 'name_suffix': "),
    "an unknown source": (
        'sources = ["zoominfo"',
        'sources = ["zoominfoo"',
        "sources: 'zoominfoo' is no source; expected some of: apollo, zoominfo, uplead.",
    ),
    "a source twice": (
        'sources = ["zoominfo"',
        'sources = ["apollo"',
        "sources: 'apollo' is there twice; name it once.",
    ),
    "sources without priority": (
        NAME_SUFFIX,
        '{ fields = ["name_suffix"], rules = ["vote"], sources = ["uplead"] }',
        "contact group 5 (name_suffix): sources are given, but no rule 'priority' would use them; add it or delete sources.",
    ),
    "no TOML": ("[contact]", "[contact", "is no TOML in UTF-8: "),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_is_one_line_that_names_the_place(name: str, tmp_path: Path) -> None:
    found, put, line = WRONG[name]
    shipped = SHIPPED.read_text("utf-8")
    assert shipped.count(found) == 1
    file = tmp_path / "mine.toml"
    file.write_text(shipped.replace(found, put), "utf-8")

    with pytest.raises(RulesError) as caught:
        load_rules(file)

    assert str(caught.value).startswith(f"{file}: {line}")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(RulesError, match=r"mine\.toml: cannot be read \(No such file or directory\)\.$"):
        load_rules(tmp_path / "mine.toml")


def test_a_copy_of_the_shipped_file_gives_the_shipped_rules(tmp_path: Path) -> None:
    copy = tmp_path / "mine.toml"
    copy.write_bytes(SHIPPED.read_bytes())

    assert load_rules(copy) == shipped_rules()


BAD_LOCKS = {
    "person": ("person", "city", "Rome", "unknown entity; expected one of: organisation, contact. Undo it."),
    "column": ("contact", "town", "Rome", "golden.contact has no column 'town' to lock. Undo it."),
    "made": ("contact", "content_hash", "x", "golden.contact has no column 'content_hash' to lock. Undo it."),
    "boolean": ("contact", "phone_do_not_call", "Yes", "its value for phone_do_not_call is no boolean. Undo it."),
    "number": ("organisation", "employees_min", "5.0", "its value for employees_min is no bigint. Undo it."),
}


@pytest.mark.parametrize("name", BAD_LOCKS)
def test_a_lock_that_golden_tables_could_not_take_is_refused(name: str) -> None:
    """Found before the run casts it, with the record and without the value."""
    entity, field, value, line = BAD_LOCKS[name]
    row = {"entity": entity, "record_key": "apollo:1", "field": field, "value": value, "seq": 12}

    with pytest.raises(LockError) as caught:
        checked(pa.Table.from_pylist([row], schema=LOCK_SCHEMA))

    assert str(caught.value) == f"Lock 12 on {entity} apollo:1: {line}"


def test_two_locks_on_one_cell_of_a_record_are_refused() -> None:
    lock = {"entity": "contact", "record_key": "apollo:1", "field": "city", "value": "Rome", "seq": 1}

    with pytest.raises(LockError, match=r"^Lock 2 on contact apollo:1: city of this record is locked twice; undo one"):
        checked(pa.Table.from_pylist([lock, {**lock, "value": "Oslo", "seq": 2}], schema=LOCK_SCHEMA))


def test_locks_that_fit_pass() -> None:
    good = [
        {"entity": "contact", "record_key": "apollo:1", "field": "phone_do_not_call", "value": "false", "seq": 1},
        {"entity": "organisation", "record_key": "apollo:1", "field": "employees_min", "value": "51", "seq": 2},
        {"entity": "organisation", "record_key": "apollo:1", "field": "employees_max", "value": None, "seq": 3},
    ]
    table = pa.Table.from_pylist(good, schema=LOCK_SCHEMA)

    assert checked(table) == table
