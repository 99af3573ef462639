"""A webhook is called at the address that was judged, under its own name, over true TLS only."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from alerts.transports.addresses import Destination
from alerts.transports.port import Undelivered
from alerts.transports.webhook import post

pytestmark = pytest.mark.core

# No name server knows it: whoever looks it up again gets nowhere.
NAME = "hooks.carry.invalid"


class Hook(BaseHTTPRequestHandler):
    hosts: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.hosts.append(self.headers["Host"])
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Generator[HTTPServer]:
    Hook.hosts.clear()
    running = HTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()
    thread.join()


def call(scheme: str, port: int) -> int:
    where = Destination(url=f"{scheme}://{NAME}:{port}/x", host=NAME, address="127.0.0.1")
    return asyncio.run(post(where, b"{}", {"Content-Type": "application/json"}))


def test_the_judged_address_is_called_and_the_name_is_never_looked_up_again(
    server: HTTPServer,
) -> None:
    port = server.server_port

    assert call("http", port) == 204
    assert Hook.hosts == [f"{NAME}:{port}"]


def test_tls_is_for_the_name_and_a_certificate_nobody_signed_is_refused(
    server: HTTPServer, tmp_path: Path
) -> None:
    asked_for: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))
    context.sni_callback = lambda _socket, name, _context: asked_for.append(name)
    server.socket = context.wrap_socket(server.socket, server_side=True)

    with pytest.raises(Undelivered, match="cannot be reached"):
        call("https", server.server_port)

    assert asked_for == [NAME]
    assert Hook.hosts == []


def self_signed(folder: Path) -> Path:
    """Return a file with a key and a certificate for the name, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(tz=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "hook.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file
