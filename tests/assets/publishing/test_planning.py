"""A plan shows what will be done, apply does just that once, and the guard holds what is out of all proportion."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from publishing_house import Died, House, contact, organisation

from assets.publishing import guard, planfile, restoring, states, tables
from assets.publishing.applying import Drift, Held, apply_plan, make_plan, publish_guarded
from assets.publishing.planfile import PlanError
from assets.publishing.planned import BASE_MOVED, GOLDEN_MOVED, NOT_PLANNED
from assets.publishing.reconcile import reconcile
from assets.publishing.rules import Rules, demo_rules, load_rules
from sources.simulation import Fault

ACME = organisation("org_acme", "Acme Ltd", domain="acme.test", phone="+442079460001", city="London")
BOLT = organisation("org_bolt", "Bolt Inc", domain="bolt.test")
ANN = contact("con_ann", "Ann", "Lee", "org_acme", job_title="Manager", phone="+442079460002")
BEN = contact("con_ben", "Ben", "Fox", "org_acme", mobile="+447700900001")
CY = contact("con_cy", "Cy", "Day", "org_bolt")
ALL = (ACME, BOLT, ANN, BEN, CY)
OPEN = "plan_first = false\n[audience]\nin_halo_only = false\n"


@pytest.fixture
def rules(tmp_path: Path):
    def made(text: str) -> Rules:
        path = tmp_path / "rules.toml"
        path.write_text(text)
        return load_rules(path)

    return made


def plan(house: House, rules: Rules | None = None, **options):
    return make_plan(house.ledger, house.clock, house.halo, rules or demo_rules(), **options)


def apply(house: House, made, rules: Rules | None = None, **options):
    return apply_plan(house.ledger, house.clock, house.halo, rules or demo_rules(), made, run_id="apply", **options)


def guarded(house: House, rules: Rules, **options):
    return publish_guarded(house.ledger, house.clock, house.halo, rules, run_id="guarded", **options)


def fields(made) -> dict[tuple[str, str], dict[str, tuple[object, object]]]:
    return {
        (item["golden_id"], item["operation"]): {
            name: (change["before"], change["after"]) for name, change in item["fields"].items()
        }
        for item in made["effects"]
    }


def state_of(house: House) -> dict[str, str]:
    with house.ledger.read() as connection:
        found = states.by_ids(connection, [record["golden_id"] for record in ALL])
    return {golden_id: record.state for golden_id, record in found.items()}


def test_a_plan_tells_each_field_before_and_after_and_writes_nothing(house):
    house.commit(*ALL)
    house.publish()
    house.edit("Users", "Ben Fox", department="Sales")
    house.commit({**ANN, "job_title": "Director"}, {**BEN, "department": "IT"}, {**ACME, "city": "Leeds"})
    house.walk()
    mark = house.mark

    made = plan(house, with_values=True)

    assert fields(made) == {
        ("org_acme", "update"): {"city": ("London", "Leeds")},
        ("con_ann", "update"): {"job_title": ("Manager", "Director")},
    }
    assert made["counts"] == {
        "organisation": {"creates": 0, "updates": 1, "retires": 0},
        "contact": {"creates": 0, "updates": 1, "retires": 0},
    }
    assert made["audience"] == {"organisation": {"published": 2}, "contact": {"published": 3}}
    assert house.writes_since(mark) == []
    assert state_of(house)["con_ann"] == "planned"


def test_the_file_holds_no_personal_data_unless_asked_for(house, tmp_path):
    house.commit(*ALL)
    planfile.write(tmp_path / "plan.json", plan(house))
    planfile.write(tmp_path / "clear.json", plan(house, with_values=True))

    masked, clear = (tmp_path / "plan.json").read_text(), (tmp_path / "clear.json").read_text()
    personal = ("Ann", "Lee", "ann.lee@", "442079460002", "Manager")

    assert [value for value in personal if value in masked] == []
    assert [value for value in personal if value not in clear] == []
    assert '"after": "aaa.aaa@aaa_aaa.aaa"' in masked
    assert (tmp_path / "plan.json").stat().st_mode & 0o077 == 0


def test_apply_does_what_the_masked_plan_says_and_a_second_apply_is_refused(house, tmp_path):
    house.commit(*ALL)
    planfile.write(tmp_path / "plan.json", plan(house))
    made = planfile.read(tmp_path / "plan.json")

    applied = apply(house, made)
    mark = house.mark

    assert (applied.result.created, applied.drift) == (5, [])
    assert set(state_of(house).values()) == {"published"}
    with pytest.raises(PlanError, match=r"applied already on 2026-11-02 .* used once"):
        apply(house, made)
    again = plan(house)
    assert again["effects"] == []
    assert apply(house, again).result.writes == {}
    assert house.writes_since(mark) == []


def test_records_that_drifted_are_left_alone_and_listed_and_the_rest_is_done(house):
    house.commit(*ALL)
    house.publish()
    house.commit(*({**person, "job_title": "Director"} for person in (ANN, BEN, CY)), {**BOLT, "name": "Bolt Ltd"})
    made = plan(house)

    house.edit("Users", "Ann Lee", title="Head of Tea")
    house.commit({**BEN, "job_title": "President"}, {**ACME, "city": "Leeds"})
    applied = apply(house, made)

    assert house.row("Users", "Ann Lee")["title"] == "Head of Tea"
    assert house.row("Users", "Ben Fox").get("title") is None
    assert house.row("Users", "Cy Day")["title"] == "Director"
    assert house.row("Client", "Bolt Ltd")
    assert applied.drift == [
        Drift("con_ann", "Users", "update", "no longer due, the record is published: nothing left to do", True),
        Drift("con_ben", "Users", "update", GOLDEN_MOVED, True),
        Drift("org_acme", "Site", "update", NOT_PLANNED, False),
    ]
    assert (state_of(house)["con_ben"], state_of(house)["org_acme"]) == ("unpublished", "unpublished")


def test_a_write_over_something_else_than_the_plan_showed_is_refused(house):
    """A person changed the value back to what we had published: still writable, but not what was reviewed."""
    house.commit(ACME, {**ANN, "phone": None})
    house.publish()
    house.commit({**ANN, "phone": "+442079460005", "job_title": "Director"})
    made = plan(house)

    house.edit("Users", "Ann Lee", title="Head of Tea")
    applied = apply(house, made)

    assert [(one.golden_id, one.reason) for one in applied.drift] == [("con_ann", BASE_MOVED)]
    assert house.row("Users", "Ann Lee").get("phonenumber") is None


def test_a_plan_is_refused_when_it_was_altered_is_too_old_or_of_another_ledger(house, tmp_path):
    house.commit(*ALL)
    made = plan(house)
    path = tmp_path / "plan.json"
    altered = json.loads(json.dumps(made))
    altered["effects"].pop()
    planfile.write(path, altered)

    with pytest.raises(PlanError, match="was altered after it was made"):
        planfile.read(path)
    with pytest.raises(PlanError, match="made on another ledger"):
        apply(House(tmp_path / "other"), made)
    house.clock.sleep(timedelta(hours=25).total_seconds())
    with pytest.raises(PlanError, match="expired on"):
        apply(house, made)
    assert house.rows("Client") == {}


def test_a_real_account_is_plan_only_until_its_first_apply(house, rules):
    careful = rules('[audience]\nopt_in = ["*"]\n')
    house.commit(*ALL)

    with pytest.raises(Held, match="no plan was ever applied to this account"):
        guarded(house, careful)
    assert house.rows("Client") == {}

    apply(house, plan(house, careful), careful)
    house.commit({**ANN, "job_title": "Director"})
    assert guarded(house, careful).updated == 1


def people(count: int, **values: object) -> list[dict[str, object]]:
    return [contact(f"con_{number:03d}", "Pat", f"Lee{number}", "org_acme", **values) for number in range(count)]


def test_f30_a_typo_in_the_rules_of_survivorship_shows_in_the_plan_and_is_held_by_the_guard(house, rules):
    """F30: a field mapped wrongly changes everybody at once."""
    shipped = rules(OPEN)
    house.commit(ACME, *people(40, job_title="Manager", department="Sales"))
    house.publish()

    house.commit(*people(40, job_title="Sales", department="Sales"))
    made = plan(house, shipped, with_values=True)
    mark = house.mark

    assert {change["job_title"] for change in fields(made).values()} == {("Manager", "Sales")}
    assert made["held_by"] == ["this run updates 40 contact records of 40 in HaloPSA (100%; the guard is 30%)"]
    with pytest.raises(Held, match="Held before the first write: this run updates 40 contact records"):
        guarded(house, shipped)
    with pytest.raises(Held, match="--override-guard"):
        apply(house, made, shipped)
    assert house.writes_since(mark) == []
    assert apply(house, made, shipped, is_overriding=True).result.updated == 40


def test_more_retirements_than_the_share_are_held(house, rules):
    shipped = rules(OPEN)
    house.commit(ACME, *people(40))
    house.publish()
    house.commit(gone=tuple(person["golden_id"] for person in people(30)))
    mark = house.mark

    with pytest.raises(Held, match=r"this run retires 30 contact records of 40 in HaloPSA \(75%; the guard is 5%\)"):
        guarded(house, shipped)

    assert house.writes_since(mark) == []


def test_an_empty_or_shrunken_source_holds_the_run_whatever_it_would_write(house, rules):
    shipped = rules(OPEN)
    house.commit(ACME, *people(30, sources="apollo,uplead"))
    guarded(house, shipped)
    house.commit(*people(30, sources="apollo"))

    with pytest.raises(
        Held, match=r"uplead stands behind 0 golden records, at the last publishing 30 \(the guard is 30%\)"
    ):
        guarded(house, shipped)

    guarded(house, shipped, is_overriding=True)
    house.commit({**ACME, "name": "Acme Group Ltd"})
    assert guarded(house, shipped).updated == 1


def test_a_mirror_that_is_too_old_holds_the_run(house, rules):
    shipped = rules(OPEN)
    house.commit(ACME)
    guarded(house, shipped)
    house.commit({**ACME, "name": "Acme Group Ltd"})
    house.clock.sleep(timedelta(hours=40).total_seconds())

    with pytest.raises(Held, match=r"HaloPSA was last read whole 40 hours ago \(the guard is 36\)"):
        guarded(house, shipped)
    house.walk()

    assert guarded(house, shipped).updated == 1


def test_the_guards_own_rehearsal_asks_halopsa_nothing(house, rules):
    strict = rules(OPEN + "[guard.updates]\ncount = 1\n")
    house.commit(*ALL)
    house.publish()
    house.commit({**ANN, "job_title": "Director"}, {**BEN, "job_title": "Clerk"})
    mark = house.mark

    with pytest.raises(Held, match="updates 2 contact records"):
        guarded(house, strict)

    assert house.mark == mark


def test_counts_are_of_records_and_a_created_client_with_its_site_is_one(house):
    house.commit(ACME, ANN)
    made = plan(house)

    assert [item["resource"] for item in made["effects"]] == ["Client", "Site", "Users"]
    assert made["counts"]["organisation"] == {"creates": 1, "updates": 0, "retires": 0}
    assert guard.most_possible(house.ledger)["organisation"]["creates"] == 1


def test_every_golden_record_is_in_exactly_one_state(house, rules):
    house.commit(*ALL, contact("con_dot", "Dot", "Ray", None))
    with house.ledger.transaction() as connection:
        connection.execute(sa.delete(tables.outbox).where(tables.outbox.c.golden_id == "con_cy"))
    house.publish(rules=rules(OPEN + 'suppressed = ["con_ben"]\n'))

    tally = states.tally(house.ledger)

    assert tally["organisation"] == {"published": 2}
    assert tally["contact"] == {"published": 1, "suppressed": 1, "unpublished": 1, "held": 1}


@pytest.mark.parametrize("state", ["sending", "unknown"])
def test_a_write_without_an_outcome_is_the_records_state(house, state):
    house.commit(*ALL)
    house.publish()
    with house.ledger.transaction() as connection:
        connection.execute(sa.update(tables.effect).where(tables.effect.c.golden_id == "con_ann").values(state=state))

    assert state_of(house)["con_ann"] == state


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        ("Ann Lee", "Aaa Aaa"),
        ("ann.lee@acme.test", "aaa.aaa@aaa.aaa"),
        ("+442079460002", "+999"),
        (None, None),
        (7, "9"),
    ],
)
def test_a_shape_tells_the_kind_of_a_value_and_not_the_value(value, shape):
    assert planfile.shape(value) == shape


def test_a_killed_apply_leaves_a_plan_that_cannot_be_used_again_and_the_next_one_takes_up_the_rest(house):
    house.commit(*ALL)
    made = plan(house)

    def die(failpoint: str) -> None:
        if failpoint == "after_reply":
            raise Died(failpoint)

    with pytest.raises(Died):
        apply(house, made, reach=die)
    with pytest.raises(PlanError, match="applied already"):
        apply(house, made)
    house.clock.sleep(120)
    apply(house, plan(house))

    assert set(house.simulator.records_by_golden_id("Client").values()) == {1}
    assert set(state_of(house).values()) == {"published"}


def test_planned_versus_audience_counts_of_a_plan_agree_with_each_other_and_with_what_apply_does(house, rules):
    """The plan says of every golden record where the run will leave it, and of every write to whom; both come true."""
    mine = rules(
        "plan_first = false\n[audience]\nin_halo_only = false\ncontacts_per_organisation_max = 3\n"
        'suppressed = ["bolt.test"]\n[mode]\norganisation = "upsert"\n'
    )
    house.commit(ACME, ANN, BEN)
    house.publish(rules=mine)
    house.commit(BOLT, CY, {**ANN, "job_title": "Director"}, contact("con_dot", "Dot", "Ray", None),
                 *(contact(f"con_new{number}", "Pat", f"Lee{number}", "org_acme") for number in range(4)))  # fmt: skip
    live = {"organisation": 2, "contact": 8}

    made = plan(house, mine)
    written: dict[str, set[str]] = {"organisation": set(), "contact": set()}
    for item in made["effects"]:
        written[item["entity"]].add(item["golden_id"])
    planned = states.tally(house.ledger)
    applied = apply(house, made, mine)

    assert {entity: sum(tally.values()) for entity, tally in made["audience"].items()} == live
    assert made["audience"]["organisation"] == {"published": 1, "suppressed": 1}
    assert made["audience"]["contact"] == {"published": 3, "suppressed": 3, "held": 2}
    assert {entity: sum(tally.values()) for entity, tally in made["counts"].items()} == {
        entity: len(ids) for entity, ids in written.items()
    }
    assert {entity: planned[entity]["planned"] for entity in planned} == {
        entity: len(ids) for entity, ids in written.items()
    }
    assert made["counts"]["contact"] == {"creates": 1, "updates": 1, "retires": 0}
    assert (applied.result.created, applied.result.updated, applied.drift) == (1, 1, [])
    assert {entity: dict(tally) for entity, tally in states.tally(house.ledger).items()} == made["audience"]


def test_a_value_to_be_given_back_stands_in_the_plan_and_apply_gives_it_back(house):
    house.commit(*ALL)
    house.publish()
    user = house.row("Users", "Ann Lee")["id"]
    body = json.dumps({"resource": "Users", "id": user, "field": "title", "value": "Head of Tea"})
    house.simulator.faults.append(Fault("human_edit", path="/api/Users", method="POST", body=body))
    house.commit({**ANN, "job_title": "Director"})
    house.publish()
    reconcile(house.ledger, house.clock, house.halo, run_id="nightly")
    restoring.ask(house.ledger, "con_ann", "job_title")

    made = plan(house, with_values=True)
    applied = apply(house, made)

    assert fields(made) == {("con_ann", "restore"): {"job_title": ("Director", "Head of Tea")}}
    assert made["counts"]["contact"] == {"creates": 0, "updates": 1, "retires": 0}
    assert applied.drift == []
    assert house.rows("Users")[user]["title"] == "Head of Tea"
