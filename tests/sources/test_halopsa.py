"""The HaloPSA client against the simulated tenant: in memory and over loopback by the same code path."""

from __future__ import annotations

import json
from bisect import bisect_right
from contextlib import contextmanager

import duckdb
import pytest
import requests
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sources.clock import VirtualClock
from sources.halopsa import fields, halopsa
from sources.halopsa.client import HaloClient
from sources.halopsa.errors import class_of, message_of
from sources.halopsa.simulator import HaloSimulator
from sources.halopsa.simulator_records import HaloFixture
from sources.http import Forbidden, ServerError, Unauthorised, VendorError
from sources.intake import Meter
from sources.load import load
from sources.simulation import Fault, InMemoryAdapter, SimulatorStore, serve
from sources.world.world import World

URL = "http://halo.test"
GOLDEN = "con_0123456789abcdef0123"


def tenant(people=0, store=None, **modes):
    """A tenant with one client, its main site, a General User and `people` more users."""
    users = [{"id": 1, "name": "General User", "site_id": 1, "_general": True}]
    users += [
        {"id": number, "name": f"Person {number}", "site_id": 1, "emailaddress": f"p{number}@northwind.test"}
        for number in range(2, people + 2)
    ]
    fixture = HaloFixture(
        clients=[{"id": 1, "name": "Northwind", "main_site_id": 1, "toplevel_id": 1}],
        sites=[{"id": 1, "name": "Main", "client_id": 1}],
        users=users,
    )
    return HaloSimulator(fixture, VirtualClock(), store, **modes)


def connect(simulator, url=URL, **changes):
    modes = simulator.modes
    adapter = None if url != URL else InMemoryAdapter(simulator)
    arguments = {"tenant": modes.tenant, "client_id": modes.client_id, "client_secret": modes.client_secret, **changes}
    return HaloClient(url, clock=simulator.clock, adapter=adapter, **arguments)


@contextmanager
def in_memory(simulator):
    yield connect(simulator)


@contextmanager
def on_loopback(simulator):
    with serve(simulator) as url:
        yield connect(simulator, url)


def seen(client, resource="Users", **filters):
    walk = client.walk(resource, **filters)
    ids = [row["id"] for page in walk for row in page]
    return ids, walk


def fault(simulator, effect, **details):
    simulator.faults.append(Fault(effect, **details))


def golden_field(client, resource="Users", golden=GOLDEN):
    return [{"id": client.golden_id_field(resource), "value": golden}]


# -- signing in -----------------------------------------------------------------------------------------------------


def test_one_token_serves_many_calls_and_is_renewed_before_it_dies():
    simulator = tenant(token_s=600)
    client = connect(simulator)

    for _ in range(3):
        client.get("Client", 1)
        simulator.clock.sleep(560)

    assert [entry.status for entry in simulator.log] == [200] * 6
    assert sum(entry.path == "/auth/token" for entry in simulator.log) == 3


@pytest.mark.parametrize("effect", ["expire_token_now", "revoke_all_tokens"])
@pytest.mark.parametrize("verb", ["read", "write"])
def test_a_token_that_died_early_is_replaced_once_and_the_call_succeeds(effect, verb):
    simulator = tenant()
    client = connect(simulator)
    client.get("Client", 1)
    fault(simulator, effect, path="/api/")

    if verb == "read":
        assert client.get("Client", 1)["name"] == "Northwind"
    else:
        assert client.update("Client", 1, {"name": "North Wind"}).kind == "acked"

    assert simulator.counters["401"] == 1
    assert sum(entry.path == "/auth/token" for entry in simulator.log) == 2


def test_a_wrong_secret_is_told_with_its_remedy_and_without_the_secret():
    with pytest.raises(Unauthorised, match="CLIENT_SECRET") as caught:
        connect(tenant(), client_secret="wrong-secret").get("Client", 1)

    assert "wrong-secret" not in str(caught.value)


def test_a_wrong_tenant_is_named_and_told_apart_from_an_outage():
    simulator = tenant()
    client = connect(simulator, tenant="acme-wrong")
    with pytest.raises(Unauthorised, match=r"'acme-wrong'; it calls itself 'acme'. Mend SOURCES__HALOPSA__TENANT"):
        client.session.check()
    assert len(simulator.log) == 2  # asked once, and once who it is

    fault(simulator, "status", path="/AuthInfo", status=503, times=-1)
    with pytest.raises(ServerError, match="'acme-wrong'"):
        client.get("Client", 1)


def test_a_missing_scope_is_forbidden_for_reads_and_a_rejection_for_writes():
    client = connect(tenant(granted_scope="read:customers"))

    outcome = client.create("Client", {"name": "Fabrikam"})

    assert (outcome.kind, outcome.error_class) == ("rejected", "forbidden")
    with pytest.raises(Forbidden):
        connect(tenant(granted_scope="read:tickets")).rows("Client")


def test_a_write_that_never_left_for_want_of_a_token_is_a_retryable_rejection():
    simulator = tenant()
    fault(simulator, "status", path="/auth/token", status=503, times=-1)

    outcome = connect(simulator).create("Client", {"name": "Fabrikam"})

    assert (outcome.kind, outcome.error_class, outcome.is_retryable) == ("rejected", "not_sent", True)
    assert len(simulator.records.rows["Client"]) == 1


# -- lists ----------------------------------------------------------------------------------------------------------

PAGING = [
    {},
    {"page_rows_max": 50},
    {"past_end": "empty"},
    {"record_count_error": 2},
    {"record_count_error": -3},
    {"record_count_error": -100},
    {"page_rows_max": 50, "record_count_error": 1},
]


@pytest.mark.parametrize("people", [0, 49, 99, 100, 249])
@pytest.mark.parametrize("modes", PAGING, ids=str)
def test_a_walk_sees_every_row_once_whatever_pages_say_of_themselves(people, modes):
    simulator = tenant(people, **modes)

    ids, walk = seen(connect(simulator))

    assert sorted(ids) == list(range(1, people + 2))
    assert walk.is_complete


@pytest.mark.parametrize("transport", [in_memory, on_loopback])
@pytest.mark.parametrize("effect", ["drop_page", "shuffle_order"])
@pytest.mark.parametrize("page", [0, 1, 2])
def test_a_page_that_is_lost_or_out_of_order_is_read_again(transport, effect, page):
    simulator = tenant(299)
    fault(simulator, effect, path="/api/Users", after=page)

    with transport(simulator) as client:
        ids, walk = seen(client)

    assert sorted(ids) == list(range(1, 301))
    assert walk.is_complete


def test_a_list_that_ignores_paging_is_not_taken_for_the_whole():
    simulator = tenant(299)
    real = simulator.lists.page
    simulator.lists.page = lambda resource, query: real(resource, {}) | {"record_count": 300}

    ids, walk = seen(connect(simulator))

    assert len(ids) == 50
    assert not walk.is_complete


@pytest.mark.parametrize("transport", [in_memory, on_loopback])
@pytest.mark.parametrize("effect", ["status", "html", "drop", "truncate"])
def test_a_read_that_fails_in_mid_walk_is_repeated(transport, effect):
    simulator = tenant(150)
    fault(simulator, effect, path="/api/Users", after=1, status=502)

    with transport(simulator) as client:
        ids, walk = seen(client)

    assert len(ids) == 151
    assert walk.is_complete


def test_a_list_asks_only_for_what_halo_knows_and_gets_inactive_rows_and_golden_ids():
    simulator = tenant()
    client = connect(simulator)
    client.create("Users", {"name": "A B", "site_id": 1, "inactive": True, "customfields": golden_field(client)})

    rows = client.rows("Users")

    assert [fields.read_user(row)["golden_id"] for row in rows] == [None, GOLDEN]
    assert [fields.read_user(row)["is_inactive"] for row in rows] == [False, True]
    assert simulator.ignored == {}


def test_search_is_narrowed_to_exact_equality():
    client = connect(tenant(30))

    found = client.find("Users", search="p2@northwind.test", where={"emailaddress": "P2@Northwind.test "})

    assert [row["id"] for row in found] == [2]
    assert len(client.rows("Users", search="P2")) == 11
    assert client.find("Users", search="p2", where={"emailaddress": "p2"}) == []


# -- the rate limit -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["absent", "seconds", "http-date"])
@pytest.mark.parametrize("verb", ["read", "write"])
def test_a_429_is_waited_out_and_nothing_is_lost_or_doubled(mode, verb):
    simulator = tenant(limit_calls=5, retry_after=mode)
    client = connect(simulator)

    for number in range(12):
        if verb == "read":
            client.get("Client", 1)
        else:
            assert client.create("Users", {"name": f"N {number}", "site_id": 1}).kind == "acked"

    assert simulator.counters["429"] > 0
    assert len(simulator.records.rows["Users"]) == (1 if verb == "read" else 13)
    assert client.retried["HTTP 429"] == simulator.counters["429"]


@hypothesis_settings(max_examples=12)
@given(
    calls=st.integers(2, 60),
    pauses=st.lists(st.floats(0, 400), min_size=1, max_size=4),
    burst=st.integers(1, 30),
    token_s=st.sampled_from([700.0, 3_600.0]),
)
def test_no_window_ever_holds_more_calls_than_allowed(calls, pauses, burst, token_s):
    """Token calls included; the simulator would answer 429 if it were exceeded."""
    simulator = tenant(limit_calls=calls, token_s=token_s)
    client = connect(simulator, calls_per_window=calls)

    for pause_s in pauses:
        simulator.clock.sleep(pause_s)
        for _ in range(burst):
            client.session.read("TopLevel")

    moments = [entry.at_s for entry in simulator.log]
    widest = max(bisect_right(moments, at_s + 300.0) - index for index, at_s in enumerate(moments))
    assert widest <= calls
    assert simulator.counters["429"] == 0


def test_the_default_budget_stays_below_the_tenants():
    simulator = tenant(limit_calls=300)
    client = connect(simulator)

    for _ in range(500):
        client.session.read("TopLevel")

    assert simulator.counters["429"] == 0
    assert 300 <= simulator.clock.elapsed_s <= 900


# -- writes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("modes", [{}, {"created_status": 200}, {"is_detail_wrapped": True}], ids=str)
def test_a_created_client_brings_its_main_site_and_a_general_user(modes):
    simulator = tenant(**modes)
    client = connect(simulator)

    outcome = client.create("Client", {"name": "Fabrikam", "website": "https://fabrikam.test"})

    assert (outcome.kind, outcome.halo_id) == ("acked", 2)
    assert [row["client_id"] for row in client.rows("Site", client_id=2)] == [2.0]
    assert outcome.record["main_site_id"] == client.rows("Site", client_id=2)[0]["id"]
    assert [fields.read_user(row)["is_general_user"] for row in client.rows("Users", client_id=2)] == [True]
    assert fields.read_client(client.get("Client", 2))["website"] == "https://fabrikam.test"


LOST = [
    "timeout_after_apply",
    "reset_after_apply",
    "drop_after",
    "html_after_apply",
    "wrong_content_type",
    "truncate",
]


@pytest.mark.parametrize("transport", [in_memory, on_loopback])
@pytest.mark.parametrize("effect", LOST)
def test_a_create_whose_answer_is_lost_is_unknown_and_then_found_once(transport, effect):
    simulator = tenant()
    fault(simulator, effect, method="POST", path="/api/Users")

    with transport(simulator) as client:
        custom = golden_field(client)
        outcome = client.create(
            "Users", {"name": "A B", "site_id": 1, "emailaddress": "a@b.test", "customfields": custom}
        )
        found = client.find_by_golden_id("Users", GOLDEN, search="a@b.test", client_id=1)

    assert outcome.kind == "unknown"
    assert [row["name"] for row in found] == ["A B"]
    assert simulator.records_by_golden_id("Users") == {GOLDEN: 1}


@pytest.mark.parametrize(
    "details", [{"effect": "status", "status": 500}, {"effect": "html", "status": 502}, {"effect": "drop"}]
)
def test_a_create_that_died_before_it_was_applied_is_unknown_and_not_sent_again(details):
    simulator = tenant()
    simulator.faults.append(Fault(method="POST", path="/api/Users", **details))

    outcome = connect(simulator).create("Users", {"name": "A B", "site_id": 1})

    assert outcome.kind == "unknown"
    assert len(simulator.records.rows["Users"]) == 1


def test_a_stale_list_misses_the_new_record_at_first_and_shows_it_later():
    simulator = tenant()
    client = connect(simulator)
    custom = golden_field(client)
    fault(simulator, "stale_read", method="POST", path="/api/Users", delay_s=30)
    client.create("Users", {"name": "A B", "site_id": 1, "customfields": custom})

    at_first = client.find_by_golden_id("Users", GOLDEN, client_id=1)
    simulator.clock.sleep(31)
    later = client.find_by_golden_id("Users", GOLDEN, client_id=1)

    assert (len(at_first), len(later)) == (0, 1)


REFUSED = [
    ("Users", {"name": "", "site_id": 1}, "mandatory_field"),
    ("Users", {"name": "A B"}, "mandatory_field"),
    ("Users", {"name": "A B", "site_id": 77}, "unknown_id"),
    ("Site", {"name": "East", "client_id": 77}, "unknown_id"),
    ("Client", {"name": "n" * 256}, "validation"),
]


@pytest.mark.parametrize(("resource", "sent", "error_class"), REFUSED)
def test_a_refusal_says_why_in_every_shape_halo_has(resource, sent, error_class):
    """Seven shapes of error bodies in rotation; each time the same class."""
    client = connect(tenant())

    outcomes = [client.create(resource, sent) for _ in range(8)]

    assert {(outcome.kind, outcome.error_class) for outcome in outcomes} == {("rejected", error_class)}
    assert all(outcome.message and "{" not in outcome.message for outcome in outcomes)


def test_an_unknown_id_is_refused_on_update():
    assert connect(tenant()).update("Client", 99, {"name": "X"}).error_class == "unknown_id"


def test_a_mandatory_custom_field_is_named_and_configuration_can_fill_it():
    modes = {"mandatory_fields": {"Client": ("toplevel_id", "CFAccountManager")}}
    simulator = tenant(**modes)

    refused = connect(simulator).create("Client", {"name": "Fabrikam"})
    filled = {"Client": {"customfields": [{"name": "CFAccountManager", "value": "Sales"}]}}
    accepted = connect(simulator, defaults=filled).create("Client", {"name": "Fabrikam"})

    assert (refused.error_class, "CFAccountManager" in refused.message) == ("mandatory_field", True)
    assert accepted.kind == "acked"


@pytest.mark.parametrize("uniqueness", ["unique_name_per_site", "unique_email_per_client"])
def test_a_tenant_that_wants_no_doubles_says_so(uniqueness):
    client = connect(tenant(1, uniqueness=uniqueness))

    outcome = client.create("Users", {"name": "Person 2", "site_id": 1, "emailaddress": "p2@northwind.test"})

    assert (outcome.kind, outcome.error_class) == ("rejected", "duplicate")


def test_fields_that_halo_would_drop_are_never_sent():
    client = connect(tenant())

    with pytest.raises(ValueError, match="jobtitle"):
        client.create("Users", {"name": "A B", "site_id": 1, "jobtitle": "CEO"})
    with pytest.raises(ValueError, match="id"):
        client.create("Users", {"id": 4, "name": "A B", "site_id": 1})


def test_an_id_read_as_a_float_is_sent_as_an_integer():
    client = connect(tenant())
    site_id = client.rows("Users")[0]["site_id"]

    outcome = client.create("Users", {"name": "A B", "site_id": site_id})

    assert isinstance(site_id, float)
    assert outcome.kind == "acked"


def test_a_float_id_would_be_refused():
    """The failure the test above mends: the same number, sent as it was read."""
    simulator = tenant()
    client = connect(simulator)

    answer = client.session.http.post(
        f"{URL}/auth/token",
        data={"grant_type": "client_credentials", "client_id": simulator.modes.client_id}
        | {"client_secret": simulator.modes.client_secret, "scope": "all"},
    )
    token = answer.json()["access_token"]
    raw = requests.Session()
    raw.mount(URL, InMemoryAdapter(simulator))
    refused = raw.post(
        f"{URL}/api/Users", json=[{"name": "A B", "site_id": 1.0}], headers={"Authorization": f"Bearer {token}"}
    )

    assert refused.status_code == 400
    assert list(refused.json()) == ["[0].site_id"]


def test_new_people_get_no_mail_and_later_updates_leave_their_mailing_choice_alone():
    simulator = tenant()
    sent = []
    real = simulator.records.post
    simulator.records.post = lambda resource, elements, **rest: (
        sent.extend(elements),
        real(resource, elements, **rest),
    )[1]
    client = connect(simulator)

    client.create("Users", {"name": "A B", "site_id": 1})
    client.update("Users", 2, {"title": "CEO"})

    quiet = {"_dont_fire_automations": True}
    assert sent == [
        {"name": "A B", "site_id": 1, "sendwelcomeemail": False, "dontaddtomailinglist": True, **quiet},
        {"id": 2, "title": "CEO", **quiet},
    ]


# -- custom fields --------------------------------------------------------------------------------------------------


def test_custom_fields_are_found_by_name_whatever_their_ids_in_this_tenant():
    first, second = connect(tenant(tenant="acme")), connect(tenant(tenant="globex", user_typeid=40))

    assert first.golden_id_field("Users") != second.golden_id_field("Users")
    assert len({first.golden_id_field(resource) for resource in ("Client", "Site", "Users")}) == 3
    assert connect(tenant(golden_id_field=None)).golden_id_field("Client") is None


@pytest.mark.parametrize("mode", ["replace", "merge"])
def test_writing_our_custom_field_keeps_the_fields_of_people(mode):
    simulator = tenant(custom_fields=mode)
    client = connect(simulator)
    manager = client.custom_field_ids()["Client"]["cfaccountmanager"]
    client.update("Client", 1, {"customfields": [{"id": manager, "value": "Ann"}]})

    whole = fields.merged_custom_fields(client.get("Client", 1), {client.golden_id_field("Client"): "org_1"})
    client.update("Client", 1, {"customfields": whole})

    record = client.get("Client", 1)
    assert fields.custom_field(record, "CFAccountManager") == "Ann"
    assert fields.golden_id(record) == "org_1"


def test_sending_our_custom_field_alone_would_wipe_the_others():
    simulator = tenant()
    client = connect(simulator)
    manager = client.custom_field_ids()["Client"]["cfaccountmanager"]
    client.update("Client", 1, {"customfields": [{"id": manager, "value": "Ann"}]})

    client.update("Client", 1, {"customfields": golden_field(client, "Client", "org_1")})

    assert fields.custom_field(client.get("Client", 1), "CFAccountManager") is None


# -- many updates ---------------------------------------------------------------------------------------------------


def test_many_updates_go_out_in_arrays_and_each_is_acked_by_its_own_record():
    simulator = tenant(60)
    client = connect(simulator)

    outcomes = client.update_many("Users", [(number, {"title": f"T{number}"}) for number in range(2, 62)])

    assert [(outcome.kind, outcome.record["title"]) for outcome in outcomes] == [
        ("acked", f"T{n}") for n in range(2, 62)
    ]
    # Two to see whether all come back, then 25, 25 and 8.
    assert sum(entry.method == "POST" and entry.path == "/api/Users" for entry in simulator.log) == 4


@pytest.mark.parametrize("is_batch_atomic", [False, True])
def test_one_bad_element_is_found_and_the_good_ones_are_applied(is_batch_atomic):
    simulator = tenant(20, is_batch_atomic=is_batch_atomic)
    updates = [(number, {"title": "New"}) for number in range(2, 22)]
    updates[7] = (999, {"title": "New"})

    outcomes = connect(simulator).update_many("Users", updates)

    assert [index for index, outcome in enumerate(outcomes) if outcome.kind != "acked"] == [7]
    assert sum(row.get("title") == "New" for row in simulator.records.rows["Users"].values()) == 19


def test_a_batch_that_fails_half_way_ends_with_every_element_applied():
    simulator = tenant(10)
    fault(simulator, "partial_batch", method="POST", path="/api/Users", body="4")

    outcomes = connect(simulator).update_many("Users", [(number, {"title": "New"}) for number in range(2, 12)])

    assert {outcome.kind for outcome in outcomes} == {"acked"}


def test_a_tenant_that_shows_only_the_last_record_is_found_out_on_two_and_then_written_one_by_one():
    simulator = tenant(30, is_returnall_supported=False)
    client = connect(simulator)

    outcomes = client.update_many("Users", [(number, {"title": "New"}) for number in range(2, 32)])
    again = client.update_many("Users", [(number, {"title": "Newer"}) for number in range(2, 32)])

    assert [outcome.kind for outcome in outcomes] == ["unknown"] + ["acked"] * 29
    assert [outcome.kind for outcome in again] == ["acked"] * 30


def test_an_array_that_may_not_be_written_is_tried_at_both_ends_and_not_in_halves():
    """Two arrays of two: each as a whole, then each end alone; a right may be missing for one client only."""
    simulator = tenant(30, granted_scope="read:customers")

    outcomes = connect(simulator).update_many("Users", [(number, {"title": "New"}) for number in range(2, 6)])

    assert [outcome.error_class for outcome in outcomes] == ["forbidden"] * 4
    assert all(outcome.is_retryable for outcome in outcomes)
    assert sum(entry.method == "POST" and entry.path == "/api/Users" for entry in simulator.log) == 6


# -- reading back ---------------------------------------------------------------------------------------------------


def test_a_user_is_read_back_in_our_words():
    client = connect(tenant())
    sent = {"name": "Ann Lee", "firstname": "Ann", "surname": "Lee", "emailaddress": "ann@lee.test", "title": "CEO"}
    outcome = client.create("Users", {**sent, "site_id": 1, "customfields": golden_field(client)})

    assert fields.read_user(outcome.record) == {
        "halo_id": 2,
        "client_id": 1,
        "site_id": 1,
        "golden_id": GOLDEN,
        "full_name": "Ann Lee",
        "first_name": "Ann",
        "last_name": "Lee",
        "email": "ann@lee.test",
        "email_2": None,
        "email_3": None,
        "phone": None,
        "mobile": None,
        "job_title": "CEO",
        "department": None,
        "is_inactive": False,
        "is_general_user": False,
        "is_service_account": False,
    }


def test_a_site_is_read_back_with_its_address_by_our_use_of_the_lines():
    client = connect(tenant())
    address = {"line1": "1 High St", "line2": "Leeds", "line3": "", "line4": "GB", "postcode": "LS1 1AA"}
    client.update("Site", 1, {"phonenumber": "+441130000000", "delivery_address": address})

    (row,) = client.rows("Site")

    expected = {"street": "1 High St", "city": "Leeds", "state": None, "country": "GB", "postcode": "LS1 1AA"}
    assert fields.read_site(row).items() >= {"client_id": 1, "phone": "+441130000000", **expected}.items()


@pytest.mark.parametrize(
    ("value", "expected"),
    [(12, 12), (12.0, 12), ("12", 12), (12.5, None), (0, None), (-1, None), (True, None), (None, None), ("x", None)],
)
def test_ids_are_whole_numbers_or_nothing(value, expected):
    assert fields.as_id(value) == expected


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("1900-01-01T00:00:00", None),
        ("0001-01-01T00:00:00", None),
        ("2026-01-05T06:00:00", 2026),
        ("2026-01-05T06:00:00Z", 2026),
        ("x", None),
        (None, None),
    ],
)
def test_an_unset_date_is_no_date(text, year):
    moment = fields.as_moment(text)

    assert (moment and moment.year) == year


@pytest.mark.parametrize(
    "body",
    [
        '"Name is mandatory"',
        '{"error": "Name is mandatory"}',
        '{"ClassName": "System.Exception", "Message": "Name is mandatory"}',
        '{"resultCode": -1, "errorMessage": "Name is mandatory"}',
        '{"Message": "Name is mandatory"}',
        '{"[0].name": ["Name is mandatory"]}',
        "<html><b>Name is mandatory</b></html>",
    ],
)
def test_every_shape_of_error_body_is_read(body):
    message = message_of(body)

    assert message.endswith("Name is mandatory")
    assert class_of(400, message) == "mandatory_field"


@given(
    st.recursive(
        st.none() | st.booleans() | st.text() | st.integers(), lambda s: st.lists(s) | st.dictionaries(st.text(), s)
    )
)
def test_no_error_body_breaks_the_reader(body):
    assert len(message_of(json.dumps(body))) <= 300


# -- the simulator's own manners ------------------------------------------------------------------------------------


def test_there_is_no_api_contact_and_paths_know_no_case():
    simulator = tenant()
    client = connect(simulator)

    with pytest.raises(VendorError, match="404"):
        client.session.read("Contact")
    assert client.session.read("users", {"includeinactive": "true"})["record_count"] == 1


def test_unknown_fields_and_parameters_are_ignored_and_counted():
    simulator = tenant()
    client = connect(simulator)

    client.session.write("Users", [{"name": "A B", "site_id": 1, "jobtitle": "CEO"}])
    client.session.read("Users", {"fields": "name"})

    assert simulator.ignored == {"Users.jobtitle": 1, "Users?fields": 1}
    assert "jobtitle" not in simulator.records.rows["Users"][2]


def test_a_bare_object_instead_of_an_array_is_refused():
    with pytest.raises(VendorError, match="400"):
        connect(tenant()).session.write("Users", {"name": "A B", "site_id": 1})


def test_a_restricted_agent_sees_empty_lists_and_no_error():
    ids, walk = seen(connect(tenant(5, is_agent_restricted=True)))

    assert (ids, walk.is_complete) == ([], True)


def test_what_was_written_is_there_for_the_next_process(tmp_path):
    path = tmp_path / "halo.sqlite"
    store = SimulatorStore(path)
    client = connect(tenant(store=store))
    client.create("Client", {"name": "Fabrikam"})
    store.close()

    reopened = tenant(store=SimulatorStore(path))

    assert [row["name"] for row in reopened.records.rows["Client"].values()] == ["Northwind", "Fabrikam"]
    assert connect(reopened).create("Client", {"name": "Contoso"}).halo_id == 3


def test_a_person_edits_and_a_foreign_double_appears_while_we_work():
    simulator = tenant(1)
    edit = {"resource": "Users", "id": 2, "field": "title", "value": "Key holder"}
    fault(simulator, "human_edit", path="/api/Users", body=json.dumps(edit))
    fault(simulator, "foreign_duplicate", path="/api/Users", body='{"resource": "Users", "id": 2}')
    client = connect(simulator)

    client.get("Users", 2)
    rows = client.find("Users", search="p2@", where={"emailaddress": "p2@northwind.test"})

    assert client.get("Users", 2)["title"] == "Key holder"
    assert [row["id"] for row in rows] == [2, 3]


# -- the mirror -----------------------------------------------------------------------------------------------------


def mirror(simulator, folder):
    """Load the mirror; returns (meter, ids per table)."""
    meter = Meter("halopsa")
    warehouse = folder / "warehouse.duckdb"
    load(halopsa(connect(simulator), meter), name="halopsa", warehouse=warehouse, state=folder / "dlt")
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        tables = {
            name: [
                row[0] for row in connection.execute(f'select id from raw_halopsa."{name}" order by id::int').fetchall()
            ]
            for name in ("client", "site", "user")
        }
    return meter, tables


def test_the_mirror_holds_what_halo_holds_and_forgets_what_was_deleted(tmp_path):
    simulator = tenant(3)
    mirror(simulator, tmp_path)
    simulator.records.delete("Users", 3)

    meter, tables = mirror(simulator, tmp_path)

    assert tables == {"client": ["1"], "site": ["1"], "user": ["1", "2", "4"]}
    assert meter.fetched == {"client": 1, "site": 1, "user": 3}
    assert meter.problems == []


BROKEN = [
    ("shrunk", lambda simulator: [simulator.records.delete("Users", number) for number in range(2, 20)]),
    ("restricted", lambda simulator: setattr(simulator.lists, "_ids", lambda resource, query: [])),
    ("incomplete", lambda simulator: setattr(simulator.lists, "_slice", lambda ids, page_no, size: sorted(ids)[:8])),
    ("down", lambda simulator: fault(simulator, "status", path="/api/Users", status=503, times=-1)),
]


@pytest.mark.parametrize("harm", [harm for _, harm in BROKEN], ids=[name for name, _ in BROKEN])
def test_a_bad_list_never_empties_a_good_table(harm, tmp_path):
    simulator = tenant(19)
    _, before = mirror(simulator, tmp_path)
    harm(simulator)

    meter, after = mirror(simulator, tmp_path)

    assert after == before
    assert any("raw_halopsa.user stays as it was" in problem for problem in meter.problems)


def test_a_poison_row_in_the_mirror_is_quarantined_and_still_known_to_be_there(tmp_path):
    """Left out of the mirror, the person was taken for absent and made a second time."""
    simulator = tenant(2)
    simulator.records.rows["Users"][2]["title"] = "nul\x00"

    meter, tables = mirror(simulator, tmp_path)

    assert tables["user"] == ["1", "2", "3"]
    assert meter.refused == {("user", "title holds a NUL character"): 1}
    with duckdb.connect(str(tmp_path / "warehouse.duckdb"), read_only=True) as connection:
        kept = dict(connection.execute("select id, payload from raw_halopsa.user").fetchall())
    assert set(json.loads(kept["3"])) - set(json.loads(kept["2"])) == {"title"}


def test_a_mirror_that_never_held_anything_says_that_the_agent_may_be_blind(tmp_path):
    simulator = tenant(2, is_agent_restricted=True)
    meter = Meter("halopsa")

    load(halopsa(connect(simulator), meter), name="halopsa", warehouse=tmp_path / "w.duckdb", state=tmp_path / "dlt")

    assert any("may not see all customers" in problem for problem in meter.problems)


def test_the_world_moves_into_a_tenant_with_each_person_on_the_main_site_of_their_client():
    world = World.generate(people=300, seed=7)
    held = world.halo()
    simulator = HaloSimulator(world, VirtualClock())
    client = connect(simulator)

    users = {user["halo_id"]: user for user in map(fields.read_user, client.rows("Users"))}
    main_sites = {row["id"]: fields.read_client(client.get("Client", row["id"])) for row in client.rows("Client")[:5]}

    assert {user["user_id"]: user["client_id"] for user in held["users"].to_dict("records")} == {
        user["halo_id"]: user["client_id"] for user in users.values()
    }
    assert sum(user["is_general_user"] for user in users.values()) == len(held["clients"])
    for client_id, record in main_sites.items():
        assert {user["site_id"] for user in users.values() if user["client_id"] == client_id} == {
            record["main_site_id"]
        }
    assert simulator.ignored == {}
