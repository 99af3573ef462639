"""Where a webhook may go: nowhere inside, whatever its name resolves to and whenever it does."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Sequence[str]]
# Addresses of IPv4 in other clothes: judged by what is inside.
NAT64 = ip_network("64:ff9b::/96")
PORTS = {"https": 443, "http": 80}


class AddressRefused(ValueError):
    """A URL that Carry does not call; the message is a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A URL with the address that its name was resolved to: it is called there."""

    url: str
    host: str
    address: str


def resolve(host: str, port: int) -> list[str]:
    """Ask the system for the addresses of a name."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(row[4][0]) for row in found]


def destination(url: str, *, resolving: Resolve = resolve) -> Destination:
    """Resolve a webhook's URL and judge every address of it. Raise AddressRefused.

    One address inside refuses them all: which of them is called would be luck.
    """
    parts = checked(url)
    host = parts.hostname or ""
    try:
        named = resolving(host, parts.port or PORTS[parts.scheme])
    except (OSError, UnicodeError):
        raise AddressRefused(f"{host} cannot be resolved.") from None
    addresses = [ip_address(text.partition("%")[0]) for text in named]
    if not addresses:
        raise AddressRefused(f"{host} has no address.")
    for address in addresses:
        if not (_is_public(address) or _is_allowed(address)):
            raise AddressRefused(f"{host} leads to {address}, which is no public address.")
    if parts.scheme != "https" and not all(_is_allowed(address) for address in addresses):
        raise AddressRefused("A webhook must be https.")
    return Destination(url=url, host=host, address=str(addresses[0]))


def checked(url: str) -> SplitResult:
    """Return the parts of a URL that has a usable form. Raise AddressRefused."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AddressRefused("This is no URL.") from None
    if parts.scheme not in PORTS or not parts.hostname:
        raise AddressRefused("A webhook is a URL such as https://example.com/carry.")
    if parts.username is not None or parts.password is not None:
        raise AddressRefused("A webhook's URL carries no name and password.")
    if port == 0 or any(sign.isspace() or not sign.isprintable() for sign in url):
        raise AddressRefused("This is no URL.")
    return parts


def _is_public(address: Address) -> bool:
    inner = _unwrapped(address)
    return inner.is_global and not (inner.is_multicast or inner.is_reserved)


def _unwrapped(address: Address) -> Address:
    """Return the IPv4 address that is written as an IPv6 one."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)


def _is_allowed(address: Address) -> bool:
    inner = _unwrapped(address)
    return any(inner in ip_network(text) for text in settings.CARRY_WEBHOOK_NETWORKS)
