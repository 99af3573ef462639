from __future__ import annotations

import socket

import pytest

from arbsite.launcher.child import trouble_in
from arbsite.launcher.ports import free_port, is_listening

pytestmark = pytest.mark.core


def test_the_terminal_shows_the_first_line_of_errors_only() -> None:
    assert trouble_in('{"level": "error", "event": "leg refused\\nmore"}') == "leg refused"
    assert trouble_in('{"level": "warning", "event": "venue slow"}') == ""
    assert trouble_in("{not json") == ""
    assert trouble_in("plain text") == ""


def test_a_taken_port_is_replaced_by_a_free_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        assert is_listening(port)
        assert free_port(port) != port

    assert free_port(port) == port
