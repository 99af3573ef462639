"""A venue whose certificate is wrong is sent nothing, and what became of an order is unknown."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from exchanges.ccxt_adapter.faults import reading, submitting
from exchanges.ccxt_adapter.library import Credential, create_exchange
from exchanges.errors import OrderOutcomeUnknown, VenueError, VenueUnavailable
from exchanges.venues import PROFILES

pytestmark = [pytest.mark.protocol, pytest.mark.asyncio]

PROFILE = PROFILES["binanceusdm"]
KEY = Credential(api_key="the-key", secret="the-secret")


def certificate_of_nobody(folder: Path, *, until: datetime) -> ssl.SSLContext:
    """Return the context of a server whose certificate for localhost nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(1)
        .not_valid_before(until - timedelta(days=2))
        .not_valid_after(until)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path = folder / "server.pem"
    path.write_bytes(key.private_bytes(pem, pkcs8, plain) + certificate.public_bytes(pem))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    return context


async def failures(address: str) -> tuple[VenueError, VenueError]:
    """Return how an order and a read fail at an address."""
    exchange = create_exchange(PROFILE, credential=KEY)

    try:
        with pytest.raises(VenueError) as order:
            await submitting(PROFILE, exchange.fetch(address, "POST", {}, "x=1"))
        with pytest.raises(VenueError) as read:
            await reading(PROFILE, exchange.fetch(address))
    finally:
        await exchange.close()
    return order.value, read.value


@pytest.mark.parametrize("days", [1, -1], ids=["foreign", "expired"])
async def test_a_certificate_that_nobody_vouches_for_is_never_talked_to(
    tmp_path: Path, days: int
) -> None:
    heard: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        heard.append(request.method)
        return web.json_response({"orderId": 1})

    app = web.Application()
    app.router.add_route("*", "/", answer)
    until = datetime.now(UTC) + timedelta(days=days)
    server = TestServer(app, scheme="https")
    await server.start_server(ssl=certificate_of_nobody(tmp_path, until=until))
    try:
        order, read = await failures(f"https://localhost:{server.port}/")
    finally:
        await server.close()

    assert heard == []
    assert type(order) is OrderOutcomeUnknown
    assert type(read) is VenueUnavailable
