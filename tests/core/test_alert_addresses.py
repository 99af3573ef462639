"""No webhook leads inside, however its address is written or resolved."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from pytest_django.fixtures import Settings

from alerts.transports.addresses import AddressRefused, Resolve, destination

pytestmark = pytest.mark.core

PUBLIC = "93.184.216.34"


def resolving(*addresses: str) -> Resolve:
    def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    return resolve


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",  # noqa: S104 - refused
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
    ],
)
def test_an_address_inside_is_refused_and_named(address: str) -> None:
    with pytest.raises(AddressRefused, match="no public address"):
        destination("https://hooks.example.com/x", resolving=resolving(address))


def test_one_address_inside_refuses_them_all() -> None:
    with pytest.raises(AddressRefused, match="127"):
        destination("https://hooks.example.com/x", resolving=resolving(PUBLIC, "127.0.0.1"))


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "gopher://example.com/",
        "ftp://example.com/",
        "//example.com/x",
        "example.com/x",
        "https:///x",
        "https://user:word@example.com/x",
        "https://example.com:99999/x",
        "https://example.com:0/x",
        "https://exam ple.com/x",
        "https://example.com/x\nHost: inside",
        "https://[::1/x",
        "",
    ],
)
def test_what_is_no_plain_https_url_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        destination(url, resolving=resolving(PUBLIC))


def test_plain_http_is_refused() -> None:
    with pytest.raises(AddressRefused, match="must be https"):
        destination("http://hooks.example.com/x", resolving=resolving(PUBLIC))


def test_a_name_without_an_address_is_refused() -> None:
    def lost(host: str, port: int) -> Sequence[str]:
        raise OSError("no such name")

    with pytest.raises(AddressRefused, match="cannot be resolved"):
        destination("https://hooks.example.com/x", resolving=lost)


def test_the_address_that_was_judged_is_the_one_that_is_called() -> None:
    found = destination("https://hooks.example.com:8443/x", resolving=resolving(PUBLIC))

    assert (found.host, found.address) == ("hooks.example.com", PUBLIC)


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost"])
def test_loopback_in_other_words_is_refused_by_what_it_resolves_to(host: str) -> None:
    with pytest.raises(AddressRefused):
        destination(f"https://{host}/x")


def test_networks_that_staff_allow_are_reached_also_without_tls(settings: Settings) -> None:
    settings.CARRY_WEBHOOK_NETWORKS = ["10.0.0.0/8"]

    inside = destination("http://hooks.local/x", resolving=resolving("10.1.2.3"))
    assert inside.address == "10.1.2.3"
    with pytest.raises(AddressRefused):
        destination("http://hooks.local/x", resolving=resolving("10.1.2.3", PUBLIC))
    with pytest.raises(AddressRefused):
        destination("http://hooks.local/x", resolving=resolving("192.168.0.1"))
