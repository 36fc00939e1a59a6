"""The same promises over real TLS, with a certificate authority of our own."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from keeping_plugin.errors import CallNotStarted
from keeping_plugin.salesforce.wire.transport import NoAnswer, Transport
from tests.salesforce.byte_server import read_request, reply

HOST = "acme.my.salesforce.com"
URL = f"https://{HOST}/services/data/v66.0/"
Script = Callable[[ssl.SSLSocket, bytes], None]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate of Salesforce's name, signed by itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "certificate.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.fixture
def salesforce(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Script], list[bytes]]]:
    """Let Salesforce's name lead to a server of ours, whose certificate is trusted."""
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        address = listener.getsockname()
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

        def serve(script: Script) -> list[bytes]:
            requests: list[bytes] = []

            def one(plain: socket.socket) -> None:
                with (
                    contextlib.suppress(OSError),
                    context.wrap_socket(plain, server_side=True) as sock,
                ):
                    while request := read_request(sock):
                        requests.append(request)
                        script(sock, request)

            def accept() -> None:
                while True:
                    try:
                        plain, _ = listener.accept()
                    except OSError:
                        return
                    threading.Thread(target=one, args=(plain,), daemon=True).start()

            thread = threading.Thread(target=accept, daemon=True)
            thread.start()
            stack.callback(thread.join, 5)
            stack.callback(listener.shutdown, socket.SHUT_RDWR)
            return requests

        yield serve


def answering(sock: ssl.SSLSocket, request: bytes) -> None:
    sock.sendall(reply(b'{"a": 1}', headers=""))


def test_a_connection_carries_several_calls_both_ways(
    salesforce: Callable[[Script], list[bytes]],
) -> None:
    requests = salesforce(answering)
    body = b"x" * 3_000_000
    with Transport() as transport:
        for _ in range(3):
            assert transport.post(URL, data=body).json() == {"a": 1}
    assert [len(request.partition(b"\r\n\r\n")[2]) for request in requests] == [len(body)] * 3


def test_threads_share_a_transport(salesforce: Callable[[Script], list[bytes]]) -> None:
    def echo(sock: ssl.SSLSocket, request: bytes) -> None:
        sock.sendall(reply(request.partition(b"\r\n\r\n")[2], headers=""))

    salesforce(echo)
    wrong: list[object] = []
    with Transport() as transport:

        def ask(number: int) -> None:
            for turn in range(10):
                body = f"{number} {turn}".encode()
                if transport.post(URL, data=body).content != body:
                    wrong.append(body)

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not wrong


def test_a_drip_ends_at_the_deadline(salesforce: Callable[[Script], list[bytes]]) -> None:
    over = threading.Event()

    def drip(sock: ssl.SSLSocket, request: bytes) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not over.wait(0.02):
            sock.sendall(b"x")

    salesforce(drip)
    began = time.monotonic()
    with Transport(seconds=0.3) as transport, pytest.raises(NoAnswer) as error:
        transport.get(URL)
    over.set()
    assert time.monotonic() - began < 2
    assert (error.value.timed_out, error.value.sent) == (True, True)


def test_a_call_past_its_start_time_writes_nothing(
    salesforce: Callable[[Script], list[bytes]],
) -> None:
    """The handshake is done by then, and nothing of the request follows it."""
    requests = salesforce(answering)
    with Transport() as transport:
        with transport.call(start_by=time.monotonic() - 0.001), pytest.raises(CallNotStarted):
            transport.post(URL, data=b"x")
        assert transport.get(URL).status_code == 200
    assert [request[:4] for request in requests] == [b"GET "]


def test_a_certificate_of_another_name_gets_no_request(
    salesforce: Callable[[Script], list[bytes]],
) -> None:
    requests = salesforce(answering)
    with Transport() as transport, pytest.raises(NoAnswer) as error:
        transport.post(URL.replace("acme", "other"), data=b"secret")
    assert not error.value.sent
    assert not requests


def test_a_certificate_nobody_vouches_for_gets_no_request(
    salesforce: Callable[[Script], list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    import certifi

    requests = salesforce(answering)
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", certifi.where())
    with Transport() as transport, pytest.raises(NoAnswer) as error:
        transport.post(URL, data=b"secret")
    assert not error.value.sent
    assert not requests
