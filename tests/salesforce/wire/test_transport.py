"""The session that every call uses: deadlines, start times, sizes, and nothing it should not do."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from keeping_plugin.errors import CallNotStarted
from keeping_plugin.salesforce.wire.transport import NoAnswer, Transport
from tests.salesforce.byte_server import Wire, read_request, reply, says, serving

PATH = "/services/data/v66.0/"
SHORT = 0.3


@pytest.fixture
def transport() -> Iterator[Transport]:
    with Transport(allow_loopback=True, seconds=SHORT, max_bytes=100_000) as made:
        yield made


def refused(transport: Transport, wire: Wire, **kwargs: object) -> NoAnswer:
    """The error of one POST, which must come within the deadline and a little."""
    began = time.monotonic()
    with pytest.raises(NoAnswer) as error:
        transport.post(wire.url + PATH, **kwargs)  # type: ignore[arg-type]
    assert time.monotonic() - began < SHORT + 2
    return error.value


def test_an_answer_is_read_whole(transport: Transport) -> None:
    with serving(says(reply(b'{"a": 1}'))) as wire:
        assert transport.get(wire.url + PATH).json() == {"a": 1}


def test_the_https_that_simple_salesforce_builds_reaches_the_simulated_org(
    transport: Transport,
) -> None:
    with serving(says(reply(b"{}"))) as wire:
        url = wire.url.replace("http://", "https://")
        assert transport.get(url + PATH).status_code == 200


def test_a_body_that_drips_ends_at_the_deadline(transport: Transport) -> None:
    def drip(sock: socket.socket, request: bytes) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not wire.released.wait(0.02):
            sock.sendall(b"x")

    with serving(drip) as wire:
        error = refused(transport, wire)
    assert error.timed_out
    assert error.sent


def test_headers_that_drip_end_at_the_deadline(transport: Transport) -> None:
    def drip(sock: socket.socket, request: bytes) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not wire.released.wait(0.02):
            sock.sendall(b"x")

    with serving(drip) as wire:
        error = refused(transport, wire)
    assert error.timed_out
    assert error.sent


def test_a_silent_server_ends_at_the_deadline(transport: Transport) -> None:
    def silent(sock: socket.socket, request: bytes) -> None:
        wire.released.wait(30)

    with serving(silent) as wire:
        error = refused(transport, wire)
    assert error.timed_out
    assert error.sent


def test_a_server_that_takes_nothing_ends_at_the_deadline(transport: Transport) -> None:
    """A large body blocks in the middle of being written."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        wire = Wire(f"http://127.0.0.1:{listener.getsockname()[1]}")
        error = refused(transport, wire, data=b"x" * 50_000_000)
    assert error.timed_out
    assert error.sent


def test_all_requests_of_a_call_share_its_deadline(transport: Transport) -> None:
    def slow(sock: socket.socket, request: bytes) -> None:
        wire.released.wait(SHORT * 0.6)
        sock.sendall(reply(b"{}"))

    with serving(slow) as wire, transport.call(seconds=SHORT):
        assert transport.get(wire.url + PATH).status_code == 200
        with pytest.raises(NoAnswer) as error:
            transport.get(wire.url + PATH)
    assert error.value.timed_out


def test_a_call_inside_a_call_has_its_own_deadline(transport: Transport) -> None:
    """A refresh that is cut short could lose a rotated token."""
    with serving(says(reply(b"{}"))) as wire, transport.call(seconds=1e-9):
        with transport.call(seconds=5):
            assert transport.get(wire.url + PATH).status_code == 200
        with pytest.raises(NoAnswer) as error:
            transport.get(wire.url + PATH)
    assert (error.value.timed_out, error.value.sent) == (True, False)


def test_a_call_past_its_start_time_writes_nothing(transport: Transport) -> None:
    """The connection is made, and then closed without a byte."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}{PATH}"
        with (
            transport.call(start_by=time.monotonic() - 0.001),
            pytest.raises(CallNotStarted),
        ):
            transport.post(url, data=b"x")
        listener.settimeout(5)
        sock, _ = listener.accept()
        with sock:
            sock.settimeout(5)
            assert sock.recv(1) == b""


def test_the_start_time_is_looked_at_after_connecting() -> None:
    """A slow connection uses up the time: the clock is read as the last act before writing."""
    ticks = iter([100.0, 100.0, 100.0, 103.0, 103.0, 103.0, 103.0])
    transport = Transport(allow_loopback=True, monotonic=lambda: next(ticks))
    with transport, serving(says(reply(b"{}"))) as wire:
        with transport.call(start_by=102.0), pytest.raises(CallNotStarted):
            transport.get(wire.url + PATH)
        assert not wire.requests


def test_a_refused_connection_sent_nothing(transport: Transport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        wire = Wire(f"http://127.0.0.1:{listener.getsockname()[1]}")
    error = refused(transport, wire)
    assert (error.sent, error.timed_out) == (False, False)


def test_a_failed_handshake_sent_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever answers at the address does not speak TLS, let alone with Salesforce's name."""
    heard: list[bytes] = []
    with Transport() as transport, socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

        def answer() -> None:
            sock, _ = listener.accept()
            with sock:
                heard.append(sock.recv(65_536))
                sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(NoAnswer) as error:
            transport.post("https://acme.my.salesforce.com" + PATH, data=b"secret")
        thread.join(5)
    assert not error.value.sent
    assert not error.value.timed_out
    assert heard
    assert b"secret" not in heard[0]


def test_an_unknown_name_sent_nothing() -> None:
    def nobody(*_: object, **__: object) -> list[tuple[object, ...]]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with Transport() as transport, pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", nobody)
        with pytest.raises(NoAnswer) as error:
            transport.post("https://acme.my.salesforce.com" + PATH)
    assert not error.value.sent


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
        b"\x00\x01\x02 nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-Many: 1\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 70_000 + b"\r\n\r\n",
    ],
)
def test_half_an_answer_is_no_answer(transport: Transport, answer: bytes) -> None:
    with serving(says(answer)) as wire:
        error = refused(transport, wire)
    assert error.sent
    assert not error.timed_out


def test_an_answer_that_is_too_large_is_not_kept(transport: Transport) -> None:
    with serving(says(reply(b"x" * 100_001))) as wire:
        assert refused(transport, wire).sent


def test_a_small_answer_that_unpacks_to_a_large_one_is_not_kept(transport: Transport) -> None:

    packed = gzip.compress(b"x" * 10_000_000)
    with serving(says(reply(packed, headers="Content-Encoding: gzip\r\n"))) as wire:
        assert refused(transport, wire).sent


def test_a_redirect_is_an_answer_and_is_not_followed(transport: Transport) -> None:
    with serving(says(reply(b"{}"))) as elsewhere:
        where = f"Location: {elsewhere.url}{PATH}\r\n"
        with serving(says(reply(b"", status="302 Found", headers=where))) as wire:
            answer = transport.post(wire.url + PATH, headers={"Authorization": "Bearer secret"})
        assert answer.status_code == 302
        assert not elsewhere.requests


def test_nothing_is_tried_twice(transport: Transport) -> None:
    def hang_up(sock: socket.socket, request: bytes) -> None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    with serving(hang_up) as wire:
        assert refused(transport, wire).sent
        assert len(wire.requests) == 1


def test_the_environment_is_not_asked(
    transport: Transport, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No proxy sees a token, no .netrc replaces it."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with serving(says(reply(b"{}"))) as wire:
        transport.get(wire.url + PATH, headers={"Authorization": "Bearer ours"})
    assert b"Authorization: Bearer ours" in wire.requests[0]


def test_cookies_of_one_org_are_not_kept_for_another(transport: Transport) -> None:
    with serving(
        says(reply(b"{}", headers="Set-Cookie: sid=secret\r\nConnection: close\r\n"))
    ) as wire:
        transport.get(wire.url + PATH)
        transport.get(wire.url + PATH)
    assert all(b"secret" not in request for request in wire.requests)


def test_a_connection_serves_several_calls(transport: Transport) -> None:
    def twice(sock: socket.socket, request: bytes) -> None:
        sock.sendall(reply(b"{}", headers=""))
        wire.requests.append(read_request(sock))
        sock.sendall(reply(b"[]"))

    with serving(twice) as wire:
        assert transport.get(wire.url + PATH).json() == {}
        assert transport.get(wire.url + PATH).json() == []


def test_a_forked_child_makes_its_own_connections(transport: Transport) -> None:
    """Two processes that write into one connection would read each other's answers."""
    before = transport.get_adapter("https://x")
    transport._process = -1
    with serving(says(reply(b"{}"))) as wire:
        transport.get(wire.url + PATH)
    assert transport.get_adapter("https://x") is not before


def test_an_error_tells_no_address() -> None:
    transport = Transport(allow_loopback=True)
    with transport, serving(says(b"")) as wire, pytest.raises(NoAnswer) as error:
        transport.get(wire.url + PATH + "?q=jane@example.com")
    assert "jane" not in str(error.value)
    assert isinstance(error.value.__cause__, requests.RequestException)
