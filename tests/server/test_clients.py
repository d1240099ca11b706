"""Clients: whose address counts, whatever the headers say."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.clients import client_of, is_local

PROXIES = ("10.0.0.0/8", "::1")


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.7", None, "192.0.2.7"),
        ("192.0.2.7", "203.0.113.9", "192.0.2.7"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.9,10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("::1", "2001:db8::9", "2001:db8::9"),
        ("10.0.0.1", "[2001:db8::9]:443", "2001:db8::9"),
        ("10.0.0.1", "203.0.113.9:51000", "203.0.113.9"),
        ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("::ffff:192.0.2.7", None, "192.0.2.7"),
        ("10.0.0.1", "203.0.113.9, unknown", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9, unknown, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "203.0.113.9,,", "10.0.0.1"),
        ("", "203.0.113.9", ""),
    ],
)
def test_the_client_is_the_rightmost_address_that_is_not_trusted(peer: str, forwarded: str | None, client: str) -> None:
    assert client_of(peer, forwarded, PROXIES) == client


@given(st.text(), st.ip_addresses())
def test_what_a_client_puts_before_its_own_address_changes_nothing(said: str, address: object) -> None:
    alone = client_of("10.0.0.1", str(address), PROXIES)
    if not any(ipaddress.ip_address(alone) in ipaddress.ip_network(proxy) for proxy in PROXIES):
        assert client_of("10.0.0.1", f"{said}, {address}", PROXIES) == alone


@given(st.text())
def test_nobody_is_believed_where_no_proxy_is_named(said: str) -> None:
    assert client_of("192.0.2.7", said, ()) == "192.0.2.7"
    assert client_of("192.0.2.7", said, PROXIES) == "192.0.2.7"


def test_a_long_header_costs_little() -> None:
    assert client_of("10.0.0.1", "10.0.0.2," * 100_000 + "1" * 100_000, PROXIES) == "10.0.0.1"


@pytest.mark.parametrize(
    ("peer", "forwarded", "local"),
    [
        ("127.0.0.1", None, True),
        ("::1", None, True),
        ("::ffff:127.0.0.1", None, True),
        ("192.0.2.7", None, False),
        ("127.0.0.1", "127.0.0.1", False),
        ("127.0.0.1", "192.0.2.7", False),
        ("::1", "192.0.2.7", False),
        ("::1", "127.0.0.1", True),
        ("10.0.0.1", "127.0.0.1", True),
        ("unix", None, False),
    ],
)
def test_a_proxy_that_is_not_named_makes_nobody_local(peer: str, forwarded: str | None, local: bool) -> None:
    assert is_local(peer, forwarded, PROXIES) is local
