"""`connect` over the socket, as a person calls it: what an account says for nothing, and one line where it refuses us."""

from __future__ import annotations

import json

import pytest

from orchestration.cli import main
from sources.clock import VirtualClock
from sources.halopsa.simulator import HaloSimulator
from sources.masking import masked_email, masked_name, masked_phone
from sources.simulation import Fault, serve
from tests.orchestration.house import House, halosync

VENDORS = ("apollo", "zoominfo", "uplead", "halopsa")


@pytest.fixture(scope="module")
def around(tmp_path_factory):
    """The simulators and the settings by which the command line finds them."""
    with House(tmp_path_factory.mktemp("house"), people=120).vendors() as found:
        yield found


@pytest.fixture
def connect(around, monkeypatch, capsys, tmp_path):
    """Runs `connect VENDOR --json`; returns exit code, the object and the line on stderr."""
    simulators, environment = around

    def called(vendor, **changes):
        for name, value in {**environment, "HALOSYNC_DATA": str(tmp_path), **changes}.items():
            monkeypatch.setenv(name, value)
        code = main(["connect", vendor, "--json"])
        printed = capsys.readouterr()
        return code, json.loads(printed.out) if printed.out else None, printed.err

    for simulator in simulators.simulators.values():
        simulator.faults = []
    return called


def books(around):
    simulators = around[0].simulators
    return (
        simulators["apollo"].credits_consumed,
        simulators["zoominfo"].credits_used,
        simulators["uplead"].credits_used,
    )


@pytest.mark.parametrize("vendor", VENDORS)
def test_an_account_in_order_is_0_shows_five_masked_rows_and_costs_nothing(around, connect, vendor):
    spent = books(around)

    code, told, shown = connect(vendor)

    assert (code, shown) == (0, "")
    assert (told["vendor"], told["is_well"]) == (vendor, True)
    assert {check["state"] for check in told["checks"]} == {"well"}
    assert len(told["rows"]) == 5
    assert books(around) == spent == (0, 0, 0)
    names = set()
    for frame in [around[0].world.contacts(name) for name in VENDORS[:3]]:
        names |= set(frame["first_name"].dropna()) | set(frame["email"].dropna()) | set(frame["last_name"].dropna())
    words = {word for row in told["rows"] for value in (row["name"], row["email"]) for word in value.split()}
    assert not {name for name in names if len(name) > 2} & words
    assert all("…" in row["name"] for row in told["rows"])


def test_a_real_process_says_it_on_a_terminal_too(around, tmp_path):
    done = halosync("connect", "uplead", data=tmp_path, **around[1])

    assert (done.returncode, done.stderr) == (0, "")
    assert "5 rows, masked" in done.stdout
    assert books(around) == (0, 0, 0)


REFUSALS = {
    "no key": ("apollo", {"SOURCES__APOLLO__API_KEY": ""}, 2, "Setting SOURCES__APOLLO__API_KEY is missing"),
    "wrong key of Apollo": ("apollo", {"SOURCES__APOLLO__API_KEY": "canary"}, 2, "the key is refused"),
    "revoked key": ("apollo", {"SOURCES__APOLLO__API_KEY": "apollo-revoked"}, 2, "the key is refused"),
    "a key that may only search": (
        "apollo",
        {"SOURCES__APOLLO__API_KEY": "apollo-search-only"},
        2,
        "may not use people/bulk_match. Make a key with that route",
    ),
    "a plan without the API": (
        "apollo",
        {"SOURCES__APOLLO__API_KEY": "apollo-free-plan"},
        2,
        "apollo (plan): apollo: HTTP 403",
    ),
    "wrong secret of ZoomInfo": ("zoominfo", {"SOURCES__ZOOMINFO__CLIENT_SECRET": "canary"}, 2, "zoominfo (key)"),
    "wrong key of UpLead": ("uplead", {"SOURCES__UPLEAD__API_KEY": "canary"}, 2, "uplead (key)"),
    "paused account": ("uplead", {"SOURCES__UPLEAD__API_KEY": "uplead-paused-key"}, 2, "paused or has no subscription"),
    "small plan": ("uplead", {"SOURCES__UPLEAD__API_KEY": "uplead-essentials-key"}, 2, "set SOURCES__UPLEAD__DOMAINS"),
    "wrong secret of HaloPSA": (
        "halopsa",
        {"SOURCES__HALOPSA__CLIENT_SECRET": "canary"},
        2,
        "HaloPSA refuses client id or secret",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_one_line_with_its_remedy_and_its_exit_code(around, connect, name):
    vendor, changes, expected, line = REFUSALS[name]

    code, _, shown = connect(vendor, **changes)

    assert code == expected
    assert line in shown
    assert len(shown.splitlines()) == 1
    assert "canary" not in shown
    assert books(around) == (0, 0, 0)


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_vendor_that_is_down_is_3(around, connect, vendor):
    around[0].simulators[vendor].faults = [Fault("drop", times=-1)]

    code, told, shown = connect(vendor)

    assert (code, told["is_well"]) == (3, False)
    assert shown.startswith(f"{vendor} (")
    assert len(shown.splitlines()) == 1


def test_an_empty_balance_is_3_and_says_what_follows(around, connect, monkeypatch):
    apollo, uplead = around[0].simulators["apollo"], around[0].simulators["uplead"]
    monkeypatch.setattr(apollo.switches, "credit_limit", 0)
    monkeypatch.setattr(uplead, "_credits_at_start", 0)

    found = {vendor: connect(vendor) for vendor in ("apollo", "uplead")}

    assert {vendor: code for vendor, (code, *_) in found.items()} == {"apollo": 3, "uplead": 3}
    assert all("has none left. Nothing can be bought now" in shown for *_, shown in found.values())
    assert len(found["apollo"][1]["rows"]) == 5


def test_a_halopsa_without_our_custom_field_is_told_how_to_make_it(monkeypatch, capsys, tmp_path):
    """It works without: records are then found by their names."""
    simulator = HaloSimulator(None, VirtualClock())
    modes = {
        "TENANT": simulator.modes.tenant,
        "CLIENT_ID": simulator.modes.client_id,
        "CLIENT_SECRET": simulator.modes.client_secret,
    }
    simulator.faults = [Fault("status", path="FieldInfo", status=200, body="[]", times=-1)]
    with serve(simulator) as url:
        monkeypatch.setenv("HALOSYNC_DATA", str(tmp_path))
        monkeypatch.setenv("SOURCES__HALOPSA__BASE_URL", url)
        for name, value in modes.items():
            monkeypatch.setenv(f"SOURCES__HALOPSA__{name}", value)
        code = main(["connect", "halopsa", "--json"])

    told = json.loads(capsys.readouterr().out)
    [field] = [check for check in told["checks"] if check["check"] == "golden id"]
    assert code == 0
    assert "CFGoldenId is missing on Client and Users" in field["found"]
    assert "Make it in HaloPSA" in field["remedy"]


@pytest.mark.parametrize(
    ("mask", "value", "shown"),
    [
        (masked_name, "Orla  van der Kennedy", "O… v… d… K…"),
        (masked_name, None, ""),
        (masked_email, "orla.kennedy@brackwell.co.uk", "o…@b….uk"),
        (masked_email, "not an address", "n… a… a…"),
        (masked_email, "@x", "@…"),
        (masked_phone, "+44 20 7946 0011", "…11"),
        (masked_phone, "12", "…"),
        (masked_phone, "none", ""),
    ],
)
def test_a_mask_keeps_first_letters_and_last_digits_alone(mask, value, shown):
    assert mask(value) == shown
