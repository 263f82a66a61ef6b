"""S5: nothing is ever sent to an address that is not of the public internet, however it is written."""

from __future__ import annotations

import socket

import pytest

from orchestration.service import targets
from orchestration.service.settings import HookSettings
from orchestration.service.targets import TargetRefused

INNER = [
    "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0.0.0.0", "10.0.0.8", "172.16.3.4", "192.168.1.1",
    "169.254.169.254", "0xa9fea9fe", "2852039166", "100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1", "localhost",
    "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:a9fe:a9fe]", "[fe80::1]", "[fc00::1]", "[ff02::1]", "[2002:7f00:1::]",
    "[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]", "[2001:db8::1]",
]  # fmt: skip
FORMS = [f"https://{host}{port}{path}" for host in INNER for port in ("", ":8443") for path in ("", "/latest/?x=1")]
SCHEMES = ["http://93.184.215.14/", "ftp://93.184.215.14/", "file:///etc/passwd", "gopher://93.184.215.14", "//x.test/",
           "javascript:alert(1)", "", "https://", "https:///x", "https://a@93.184.215.14/", "https://93.184.215.14:x/",
           "https://93.184.215.14/ x", "https://93.184.215.14\\@127.0.0.1/", "https://93.184.215.14/#x",
           "https://93.184.215.14:99999/", "https://examplé.test/", "https://[::1", "https://x.test/\r\nHost: y"]  # fmt: skip


@pytest.fixture
def names(monkeypatch):
    """Names resolve as told, numbers as the system resolves them; no question leaves the machine."""
    told: dict[str, list[str]] = {"good.test": ["93.184.215.14"], "mixed.test": ["93.184.215.14", "127.0.0.1"]}
    real = socket.getaddrinfo

    def resolve(host, port, **options):
        if host in told:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in told[host]]
        if host.endswith(".test"):
            raise socket.gaierror("no such host")
        return real(host, port, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return told


@pytest.mark.parametrize("private", [False, True])
def test_a_form_that_is_no_web_address_is_refused_even_where_private_ones_are_allowed(names, private):
    for form in SCHEMES[1:]:
        with pytest.raises(TargetRefused):
            targets.checked(form, HookSettings(is_private_allowed=private))


def test_every_form_of_an_inner_address_is_refused(names, monkeypatch):
    opened = []
    monkeypatch.setattr(socket.socket, "connect", lambda self, address: opened.append(address))

    for form in [*FORMS, *SCHEMES[:1], "https://mixed.test/", "https://unknown.test/"]:
        with pytest.raises(TargetRefused):
            targets.checked(form, HookSettings())

    assert len(FORMS) > 100
    assert opened == []


def test_a_public_address_is_taken_with_the_address_it_has_now(names):
    target = targets.checked("https://good.test:8443/in?x=1", HookSettings())
    names["good.test"] = ["127.0.0.1"]  # rebinding: a second question would get another answer

    assert (target.address, target.host, target.port, target.path) == ("93.184.215.14", "good.test", 8443, "/in?x=1")


def test_the_connection_goes_to_the_checked_address_under_the_name_that_was_given(names, monkeypatch):
    asked = []

    def connect(address, *_, **__):
        asked.append(address)
        raise OSError("no network here")

    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
    target = targets.checked("https://good.test/in", HookSettings())
    names["good.test"] = ["127.0.0.1"]

    with pytest.raises(Exception, match="no network here"):
        targets.post(target, b"{}", {}, HookSettings())

    assert asked == [("93.184.215.14", 443)]
