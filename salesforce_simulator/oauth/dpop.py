"""Proofs of possession (DPoP, RFC 9449), which tie a token to a key of its client's."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from salesforce_simulator.clock import OrgClock

#: How far a proof's time may be from the org's, in seconds. The RFC leaves it to the server.
WINDOW = 300.0
_P256_BYTES = 32
#: key type -> the members that its thumbprint is made of (RFC 7638)
_MEMBERS = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n")}


class BadProof(Exception):
    """A proof that does not hold; the text says why."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a proof that holds says: the thumbprint of its key, and the nonce it carries."""

    thumbprint: str
    nonce: str | None


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _number(text: str) -> int:
    return int.from_bytes(_bytes(text), "big")


def hash_of(token: str) -> str:
    """What ``ath`` holds of an access token."""
    return _b64(hashlib.sha256(token.encode()).digest())


def thumbprint(jwk: dict[str, Any]) -> str:
    """The RFC 7638 thumbprint of a public key."""
    members = {name: jwk[name] for name in _MEMBERS[jwk["kty"]]}
    text = json.dumps(members, separators=(",", ":"), sort_keys=True)
    return _b64(hashlib.sha256(text.encode()).digest())


def _verify(header: dict[str, Any], signed: bytes, signature: bytes) -> str:
    """The thumbprint of the key that signed; InvalidSignature, KeyError or ValueError if none."""
    jwk = header["jwk"]
    if header["alg"] == "ES256" and jwk["kty"] == "EC" and jwk["crv"] == "P-256":
        numbers = ec.EllipticCurvePublicNumbers(
            _number(jwk["x"]), _number(jwk["y"]), ec.SECP256R1()
        )
        if len(signature) != 2 * _P256_BYTES:
            raise InvalidSignature
        halves = signature[:_P256_BYTES], signature[_P256_BYTES:]
        der = encode_dss_signature(*(int.from_bytes(half, "big") for half in halves))
        numbers.public_key().verify(der, signed, ec.ECDSA(hashes.SHA256()))
    elif header["alg"] == "RS256" and jwk["kty"] == "RSA":
        key = rsa.RSAPublicNumbers(_number(jwk["e"]), _number(jwk["n"])).public_key()
        key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    else:
        raise BadProof("its algorithm is neither ES256 nor RS256")
    return thumbprint(jwk)


def _same_place(one: Any, other: str) -> bool:
    """Whether two URLs name one place: the query and the fragment do not count."""
    if not isinstance(one, str):
        return False
    first, second = urlsplit(one), urlsplit(other)
    return (first.scheme.lower(), first.netloc.lower(), unquote(first.path)) == (
        second.scheme.lower(), second.netloc.lower(), unquote(second.path),
    )  # fmt: skip


class Proofs:
    """Checks the proofs of one site, each of which works once."""

    def __init__(self, clock: OrgClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._used: dict[tuple[str, str], float] = {}

    def check(self, text: str, *, method: str, url: str, token: str | None = None) -> Proof:
        """The proof of a request; BadProof when it does not hold for this method, this URL, this
        time and, of a call with an access token, that token."""
        try:
            head, body, signature = text.split(".")
            header, claims = json.loads(_bytes(head)), json.loads(_bytes(body))
            if header["typ"] != "dpop+jwt":
                raise BadProof("its typ is not dpop+jwt")
            if "d" in header["jwk"]:
                raise BadProof("its key is a private one")
            key = _verify(header, f"{head}.{body}".encode(), _bytes(signature))
            issued, number = float(claims["iat"]), str(claims["jti"])
            wanted = claims["htm"], claims["htu"]
        except InvalidSignature as error:
            raise BadProof("its signature does not fit its key") from error
        except (ValueError, KeyError, TypeError) as error:
            raise BadProof("it is no proof") from error
        if wanted[0] != method:
            raise BadProof("its htm is another method")
        if not _same_place(wanted[1], url):
            raise BadProof("its htu is another URL")
        if token is not None and claims.get("ath") != hash_of(token):
            raise BadProof("its ath is not of this access token")
        self._use_once(key, number, issued)
        return Proof(key, claims.get("nonce"))

    def _use_once(self, key: str, number: str, issued: float) -> None:
        now = self._clock.now().timestamp()
        if abs(now - issued) > WINDOW:
            raise BadProof("its iat is too far from now")
        with self._lock:
            self._used = {k: at for k, at in self._used.items() if abs(now - at) <= WINDOW}
            if (key, number) in self._used:
                raise BadProof("its jti was used before")
            self._used[key, number] = issued
