"""The world: deterministic, with the phenomena it promises, and exact when it changes."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import phonenumbers
import pyarrow.parquet as pq
import pytest

from sources.world.contacts import CONTACT_COLUMNS
from sources.world.organisations import ORGANISATION_COLUMNS
from sources.world.parquet import CONTACT_FIELDS, ORGANISATION_FIELDS
from sources.world.profile import BENCH_V1, SOURCES
from sources.world.world import World
from transforms import contracts

PROJECT = Path(__file__).parents[2]
MONDAY = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
TUESDAY = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)


def digest(world: World) -> str:
    """One hash over everything a world shows."""
    seen = hashlib.sha256()
    for source in SOURCES:
        seen.update(world.contacts(source).to_csv().encode())
        seen.update(world.organisations(source).to_csv().encode())
    for frame in (*world.halo().values(), world.truth(), world.truth_halo()):
        seen.update(frame.to_csv().encode())
    seen.update(repr(world.phenomena).encode())
    return seen.hexdigest()


@pytest.fixture(scope="module")
def world() -> World:
    """A world large enough for rates; never changed."""
    return World.generate(20_000, 5)


@pytest.fixture
def small() -> World:
    return World.generate(1_500, 3)


def contacts(world: World) -> pd.DataFrame:
    return pd.concat([world.contacts(source).assign(source=source) for source in SOURCES], ignore_index=True)


# --- the same world, always


def test_equal_arguments_give_an_equal_world_and_another_seed_another():
    assert digest(World.generate(600, 3)) == digest(World.generate(600, 3))
    assert digest(World.generate(600, 3)) != digest(World.generate(600, 4))


def test_a_fresh_process_with_another_hash_seed_sees_the_same_world():
    """Set order and hash() differ from process to process: nothing of them may reach a byte of the world."""
    code = (
        f"import sys; sys.path[:0] = [{str(PROJECT)!r}, {str(Path(__file__).parent)!r}]\n"
        "from test_world import World, digest, MONDAY\n"
        "world = World.generate(600, 3); world.change(0.05, MONDAY); print(digest(world))"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for hash_seed in (1, 2)
    }

    here = World.generate(600, 3)
    here.change(0.05, MONDAY)

    assert seen == {digest(here)}


def test_the_published_profile_is_frozen():
    """Two receipts that say bench-v1 must be about the same data. Different rates need a new name, not a new digest here."""
    assert (BENCH_V1.name, BENCH_V1.version) == ("bench-v1", 1)
    assert BENCH_V1.digest() == "62fc8bb05b26ffbe8383f4746e35b98d41d38594bc881b54a5641c4b8882ed80"


def test_a_view_made_without_keeping_it_is_the_same_view():
    kept, passing = World.generate(600, 3), World.generate(600, 3)

    pd.testing.assert_frame_equal(kept.contacts("uplead"), passing.view("uplead", "contact", keep=False))


@pytest.mark.parametrize(("people", "profile"), [(9, "bench-v1"), (100, "bench-v0")])
def test_a_world_that_cannot_be_is_refused(people: int, profile: str):
    with pytest.raises(ValueError, match=r"found 9|No difficulty profile"):
        World.generate(people, 1, profile)


@pytest.mark.parametrize("people", [10, 57, 1_500])
def test_everybody_has_one_company_and_sizes_add_up(people: int):
    world = World.generate(people, 1)

    assert len(world.people) == people == sum(company.people for company in world.companies)


# --- shape and references


def test_views_have_the_neutral_columns_and_plain_values(world: World):
    for source in SOURCES:
        told, companies = world.contacts(source), world.organisations(source)

        assert tuple(told.columns) == CONTACT_COLUMNS
        assert tuple(companies.columns) == ORGANISATION_COLUMNS
        for frame in (told, companies):
            kinds = {type(value) for name in frame.columns[:-1] for value in frame[name]}
            assert kinds <= {str, int, bool, type(None)}
            assert str(frame["updated_at"].dtype) == "datetime64[us, UTC]"


def test_every_reference_resolves(world: World):
    for source in SOURCES:
        told, companies = world.contacts(source), world.organisations(source)
        employers = companies.drop_duplicates("id").set_index("id")["name"]
        linked = told.dropna(subset=["organisation_id"])

        assert set(linked["organisation_id"]) <= set(companies["id"])
        assert (employers.loc[linked["organisation_id"]].to_numpy() == linked["organisation_name"].to_numpy()).all()
        assert set(companies["parent_id"].dropna()) <= set(companies["id"])
        assert told["organisation_name"].notna().all()

    halo = world.halo()
    assert set(halo["users"]["client_id"]) <= set(halo["clients"]["client_id"])


def test_no_two_records_share_an_id_and_ids_look_like_the_vendors(world: World):
    patterns = {
        "apollo": r"[0-9a-f]{24}",
        "zoominfo": r"[0-9]{10}",
        "uplead": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    }
    for source in SOURCES:
        ids = [*world.contacts(source)["id"], *world.organisations(source)["id"]]

        assert len(set(ids)) == len(ids)
        assert all(re.fullmatch(patterns[source], each) for each in world.contacts(source)["id"])
    assert all(int(each) > 2**31 for each in world.contacts("zoominfo")["id"])


def test_the_truth_covers_every_record_once(world: World):
    truth = world.truth()
    expected = {
        (f"{source}:{identifier}", entity, owner)
        for source in SOURCES
        for entity, frame, column in (
            ("contact", world.contacts(source), "person_id"),
            ("organisation", world.organisations(source), "company_id"),
        )
        for identifier, owner in zip(frame["id"], frame[column], strict=True)
    }

    assert len(truth) == len(expected)
    assert set(truth.itertuples(index=False, name=None)) == expected


def test_true_numbers_are_valid_and_true_addresses_belong_to_one_person(world: World):
    people = world.people
    numbers = [each for each in (*people.mobile[:4000], *people.direct[:4000]) if each]

    assert all(phonenumbers.is_valid_number(phonenumbers.parse(each)) for each in numbers)
    assert len(set(numbers)) == len(numbers)
    assert len(set(people.email)) == len(people)
    assert len(set(people.slug)) == len(people)
    assert len({company.name + company.domain for company in world.companies}) == len(world.companies)


def test_a_number_is_read_back_from_every_spelling(world: World):
    told = contacts(world).head(6_000)
    codes = dict(zip((f"p{row:07d}" for row in range(len(world.people))), world.people.code, strict=True))
    true = {f"p{row:07d}": number for row, number in enumerate(world.people.mobile)}
    spelt = [(each.mobile, each.person_id) for each in told.itertuples() if each.mobile]

    read = [
        phonenumbers.format_number(phonenumbers.parse(number, codes[who]), phonenumbers.PhoneNumberFormat.E164)
        for number, who in spelt
    ]

    assert read == [true[who] for _, who in spelt]


# --- phenomena


def test_vendors_hold_the_shares_the_profile_says(world: World):
    shares = {source: world.contacts(source)["person_id"].nunique() / world.size for source in SOURCES}

    assert shares == pytest.approx({"apollo": 0.62, "zoominfo": 0.55, "uplead": 0.45}, abs=0.04)
    assert len(contacts(world)) / world.size == pytest.approx(1.65, abs=0.08)
    assert len(world.halo()["clients"]) / len(world.companies) == pytest.approx(0.15, abs=0.02)


@pytest.mark.parametrize("source", SOURCES)
def test_a_vendor_repeats_itself_as_often_as_the_profile_says(world: World, source: str):
    told, vendor = world.contacts(source), BENCH_V1.vendors[source]

    assert told["person_id"].duplicated().mean() == pytest.approx(vendor.duplicate_contact, rel=0.4)
    assert told["email"].notna().mean() == pytest.approx(vendor.email, abs=0.02)
    assert told["linkedin_url"].notna().mean() == pytest.approx(vendor.linkedin, abs=0.02)
    assert told["mobile"].notna().mean() == pytest.approx(vendor.mobile, abs=0.03)


@pytest.mark.parametrize("tag", ["namesake", "relative", "father_son", "guessed_mailbox", "job_change", "married_name"])
def test_a_persons_phenomenon_has_its_rate(world: World, tag: str):
    rate = sum(tag in tags for tags in world.phenomena.values()) / world.size

    assert rate == pytest.approx(BENCH_V1.people[tag], rel=0.35)


@pytest.mark.parametrize(
    ("tag", "rate"),
    [
        ("swapped_name", BENCH_V1.records["swapped_name"]),
        ("initial_only", BENCH_V1.records["initial_only"]),
        ("role_mailbox", BENCH_V1.records["role_mailbox"]),
        ("wrong_phone", 0.8 * BENCH_V1.records["wrong_phone"]),
        ("transposed", BENCH_V1.records["transposed"]),
        ("free_mail", BENCH_V1.records["personal_email"]),
        ("typo", 0.032),
        ("nickname", 0.05),
        ("transliteration", 0.012),
        ("stale_job", 0.028),
    ],
)
def test_a_records_phenomenon_has_its_rate(world: World, tag: str, rate: float):
    """Rates are shares of records; the tag is on the person, so compare with the records a person has."""
    tagged = sum(tag in tags for tags in world.phenomena.values())

    assert tagged / len(contacts(world)) == pytest.approx(rate, rel=0.35)


def test_people_who_are_easily_confused_work_together(world: World):
    people = world.people
    for tag in ("namesake", "relative", "father_son", "guessed_mailbox"):
        rows = people.tags[tag]
        for one, two in zip(rows[::2], rows[1::2], strict=True):
            assert people.company[one] == people.company[two]
            assert people.last[one] == people.last[two]
            assert (people.first[one] == people.first[two]) == (tag in ("namesake", "father_son"))


def test_one_guessed_mailbox_is_given_to_two_people(world: World):
    told = contacts(world)
    pairs = set(world.people.guess)
    rows = told["person_id"].str[1:].astype(int)
    guessed = told[rows.isin(pairs) & (told["email_status"] == "guessed")]

    owners = guessed.groupby("email")["person_id"].nunique()

    assert (owners >= 2).sum() >= 10


def test_subsidiaries_and_similar_names_are_companies_of_their_own(world: World):
    tags = Counter(tag for company in world.companies for tag in company.tags)
    count, rates = len(world.companies), BENCH_V1.companies
    domains = Counter(company.domain for company in world.companies)

    assert tags["subsidiary"] / count == pytest.approx(rates["subsidiary"], rel=0.25)
    assert tags["shared_domain"] / tags["subsidiary"] == pytest.approx(rates["subsidiary_shared_domain"], abs=0.12)
    assert tags["similar_name"] / count == pytest.approx(rates["similar_name"], rel=0.3)
    assert sum(uses - 1 for uses in domains.values()) == tags["shared_domain"]


def test_switchboards_are_shared_and_names_come_in_several_scripts(world: World):
    told = contacts(world)

    assert told["phone"].value_counts().iloc[0] > 20
    assert told["first_name"].str.contains("[а-яα-ω一-龥]", regex=True).sum() > 5
    assert told["last_name"].str.contains("[’'É-ſ]", regex=True).mean() > 0.01


def test_halo_holds_general_users_edits_and_inactive_rows(world: World):
    clients, users = world.halo()["clients"], world.halo()["users"]
    general = users[users["is_general_user"].astype(bool)]
    known = users[~users["is_general_user"].astype(bool)]
    true = dict(zip((f"p{row:07d}" for row in range(len(world.people))), world.people.email, strict=True))

    assert set(general["client_id"]) == set(clients["client_id"])
    assert general[["person_id", "emailaddress"]].isna().all().all()
    assert (known["emailaddress"] == known["person_id"].map(true)).mean() > 0.7
    assert 0.02 < users["inactive"].mean() < 0.15
    assert 0.04 < (clients["human_edited"].str.len() > 0).mean() < 0.2


def test_what_a_human_typed_into_halo_is_told_by_no_vendor(world: World):
    users = world.halo()["users"]
    edited = users[users["human_edited"].map(lambda fields: "mobile" in fields)]

    assert len(edited) > 5
    assert not set(edited["mobile"]) & {each for each in world.people.mobile if each}


# --- change


def records(world: World) -> dict[str, dict[str, object]]:
    """record_key -> the record, contacts and organisations."""
    out = {}
    for source in SOURCES:
        for frame in (world.contacts(source), world.organisations(source)):
            out |= {f"{source}:{row['id']}": row for row in frame.to_dict("records")}
    return out


def test_a_round_alters_exactly_the_fields_it_names(small: World):
    before = records(small)

    changes = small.change(0.04, MONDAY)

    named: dict[str, set[str]] = {}
    for change in changes:
        named.setdefault(change.entity_id, set()).add(change.field)
    after = records(small)
    nested = {"organisation_id", "organisation_name", "organisation_domain", "organisation_phone", "updated_at"}
    for key, row in after.items():
        owner = row.get("person_id") or row["company_id"]
        if key not in before:
            assert named[owner] == {"record"}
            continue
        altered = {name for name, value in row.items() if value != before[key][name]}
        assert altered <= named.get(owner, set()) | nested
        assert ("updated_at" in altered) == (row["updated_at"] == MONDAY)
        assert owner not in named or "record" in named[owner] or row["updated_at"] == MONDAY


def test_every_vendor_that_holds_the_person_tells_the_new_value(small: World):
    changes = [change for change in small.change(0.04, MONDAY) if change.field != "record"]

    after = records(small)

    for change in changes:
        owner = "person_id" if change.entity == "contact" else "company_id"
        told = [
            row
            for row in after.values()
            if row.get(owner) == change.entity_id and (owner == "person_id" or "person_id" not in row)
        ]
        assert told
        assert {row[change.field] for row in told} == {change.new}
        assert change.new != change.old


def test_a_round_has_the_size_that_was_asked_for(small: World):
    changes = small.change(0.04, MONDAY)

    people = {change.entity_id for change in changes if change.entity == "contact"}
    assert len(people) == round(0.04 * small.size)
    assert {change.kind for change in changes} >= {"title", "phone", "mobile", "email", "job_move", "newcomer"}
    assert 1 <= len({change.entity_id for change in changes if change.entity == "organisation"}) <= 5


def test_newcomers_are_in_the_truth_and_do_not_collide(small: World):
    before = set(small.truth()["record_key"])

    newcomers = {change.entity_id for change in small.change(0.1, MONDAY) if change.kind == "newcomer"}

    truth = small.truth()
    fresh = truth[~truth["record_key"].isin(before)]
    assert newcomers
    assert set(fresh["entity_id"]) == newcomers
    assert truth["record_key"].is_unique
    assert len(small.people) == small.size + len(newcomers)


def test_a_frame_handed_out_before_a_round_stays_as_it_was(small: World):
    frame = small.contacts("apollo")
    copy = frame.copy(deep=True)

    small.change(0.2, MONDAY)

    pd.testing.assert_frame_equal(frame, copy)
    assert not frame.equals(small.contacts("apollo"))


def test_replaying_the_rounds_gives_the_same_world():
    """A demo keeps only (people, seed, profile, rounds) between its runs."""
    lived = World.generate(800, 9)
    first, second = lived.change(0.03, MONDAY), lived.change(0.05, TUESDAY)

    again = World.replay(800, 9, "bench-v1", lived.rounds)

    assert lived.rounds == [(0.03, MONDAY.isoformat()), (0.05, TUESDAY.isoformat())]
    assert again.round == 2
    assert digest(again) == digest(lived)
    assert {change.entity_id for change in first} != {change.entity_id for change in second}


@pytest.mark.parametrize(("share", "at"), [(0.0, MONDAY), (1.1, MONDAY), (0.1, MONDAY.replace(tzinfo=None))])
def test_a_round_that_makes_no_sense_is_refused(small: World, share: float, at: datetime):
    with pytest.raises(ValueError, match=r"share|time zone"):
        small.change(share, at)

    assert small.round == 0


@pytest.mark.parametrize("seed", range(5))
def test_the_smallest_world_can_change_too(seed: int):
    """Nowhere to move to is no reason to search for ever."""
    tiny = World.generate(10, seed)

    for _ in range(3):
        assert tiny.change(1.0, MONDAY)

    assert tiny.truth()["record_key"].is_unique


# --- files


def test_files_have_the_input_columns_of_resolve_and_every_record(small: World, tmp_path: Path):
    counts = small.write_raw(tmp_path)

    together = pq.read_table(tmp_path / "contact.parquet")
    truth = pq.read_table(tmp_path / "truth.parquet").to_pandas()
    assert together.column_names == CONTACT_FIELDS
    assert pq.read_table(tmp_path / "organisation.parquet").column_names == ORGANISATION_FIELDS
    assert set(together["record_id"].to_pylist()) == set(truth[truth["entity"] == "contact"]["record_key"])
    assert counts["contact_apollo"] == pq.read_metadata(tmp_path / "contact_apollo.parquet").num_rows


def test_file_columns_are_those_of_the_input_contracts():
    """The two rooms may not import each other, so the lists are written twice and compared here."""
    carried = {"organisation_key", "email_status", "seniority", "department", "phone_do_not_call", "mobile_do_not_call"}
    carried |= {"region", "notice_date", "source_updated_at", "parent_key", "record_key", "source_id"}
    for fields, table in (
        (CONTACT_FIELDS, contracts.CONTACT_INPUT),
        (ORGANISATION_FIELDS, contracts.ORGANISATION_INPUT),
    ):
        assert fields == ["record_id", *(name for name in table.column_names if name not in carried)]
