"""Clients: who asks, by address, also from behind reverse proxies.

`X-Forwarded-For` is a word that anybody can put there. It is believed only from proxies that the
settings name: read from its right end, where each proxy adds whom it heard, past all that are
trusted, to the first that is not.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import TypeAlias

from kg.setting_values import is_loopback

_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_LONGEST = 64
"""Characters; no address is longer. What is longer is not even looked at."""


def client_of(peer: str, forwarded: str | None, proxies: tuple[str, ...]) -> str:
    """Return the address of the client.

    Parameters:
        peer: address at the other end of the connection.
        forwarded: what stands in `X-Forwarded-For`; several such headers joined by commas, in their order.
        proxies: addresses and networks of the proxies that are trusted.

    Returns:
        The address; an IPv4 address mapped into IPv6 as IPv4. Where a trusted proxy passes on what is no
        address, the proxy.

    >>> client_of("10.0.0.1", "203.0.113.9, 192.0.2.7", ("10.0.0.0/8",))
    '192.0.2.7'
    >>> client_of("192.0.2.7", "203.0.113.9", ("10.0.0.0/8",))
    '192.0.2.7'
    """
    client = _address(peer)
    if not forwarded or not proxies or client is None:
        return _written(peer)
    rest: str | None = forwarded
    while rest is not None and _is_trusted(client, proxies):
        before, comma, last = rest.rpartition(",")
        rest = before if comma else None
        heard = _address(last.strip(" \t"))
        if heard is None:
            break
        client = heard
    return str(client)


def is_local(peer: str, forwarded: str | None, proxies: tuple[str, ...]) -> bool:
    """Tell whether the client is on the machine itself.

    Where somebody who is not trusted says that he passes a request on, it is taken for one from elsewhere:
    a proxy on this machine that the settings do not name must not make all the world local.

    Parameters:
        peer, forwarded, proxies: as for `client_of`.

    >>> is_local("127.0.0.1", None, ()), is_local("127.0.0.1", "192.0.2.7", ())
    (True, False)
    """
    if forwarded is not None:
        address = _address(peer)
        if address is None or not _is_trusted(address, proxies):
            return False
    return is_loopback(client_of(peer, forwarded, proxies))


def _is_trusted(address: _Address, proxies: tuple[str, ...]) -> bool:
    return any(address in network for network in _networks(proxies))


@lru_cache(maxsize=8)
def _networks(proxies: tuple[str, ...]) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(proxy) for proxy in proxies)


@lru_cache(maxsize=4096)
def _written(peer: str) -> str:
    return str(_address(peer) or peer)


@lru_cache(maxsize=4096)
def _address(text: str) -> _Address | None:
    """Return an address that may be in brackets, with a port; None where it is none."""
    if len(text) > _LONGEST:
        return None
    if text.startswith("["):
        text, _, port = text[1:].partition("]")
        if port and not (port[0] == ":" and port[1:].isdecimal()):
            return None
    elif text.count(":") == 1:
        text, _, port = text.partition(":")
        if not port.isdecimal():
            return None
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
