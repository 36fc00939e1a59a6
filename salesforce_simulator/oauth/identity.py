"""Who a token speaks for: userinfo, the identity URL and id tokens."""

from __future__ import annotations

import base64
import functools
import hashlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from salesforce_simulator.json_text import dumps
from salesforce_simulator.results import User

if TYPE_CHECKING:
    from salesforce_simulator.site import Site

ID_TOKEN_SECONDS = 120


def _standard_offset(user: User) -> int:
    """Milliseconds, without daylight saving time."""
    winter = datetime(2026, 1, 1, tzinfo=ZoneInfo(user.timezone))
    return int((winter.utcoffset() or timedelta()).total_seconds() * 1000)


def _photos(site: Site) -> dict[str, str]:
    base = f"{site.base_url}/profilephoto/005"
    return {"picture": f"{base}/F", "thumbnail": f"{base}/T"}


def _urls(site: Site, user: User) -> dict[str, str]:
    data = f"{site.base_url}/services/data/v{{version}}/"
    soap = f"{site.base_url}/services/Soap"
    return {
        "enterprise": f"{soap}/c/{{version}}/{site.organization_id[:15]}",
        "metadata": f"{soap}/m/{{version}}/{site.organization_id[:15]}",
        "partner": f"{soap}/u/{{version}}/{site.organization_id[:15]}",
        "rest": data,
        "sobjects": f"{data}sobjects/",
        "search": f"{data}search/",
        "query": f"{data}query/",
        "recent": f"{data}recent/",
        "profile": f"{site.base_url}/{user.id}",
        "custom_domain": site.base_url,
    }


def userinfo(site: Site, user: User) -> dict[str, Any]:
    """The body of ``/services/oauth2/userinfo``."""
    return {
        "sub": site.identity_url(user.id),
        "user_id": user.id,
        "organization_id": site.organization_id,
        "preferred_username": user.username,
        "nickname": user.username.partition("@")[0],
        "name": user.name,
        "email": user.email,
        "email_verified": True,
        "given_name": user.first_name,
        "family_name": user.last_name,
        "zoneinfo": user.timezone,
        "photos": _photos(site),
        "profile": f"{site.base_url}/{user.id}",
        "picture": _photos(site)["picture"],
        "address": {},
        "is_salesforce_integration_user": False,
        "urls": _urls(site, user),
        "active": user.active,
        "user_type": "STANDARD",
        "language": user.language,
        "locale": user.locale,
        "utcOffset": _standard_offset(user),
        "updated_at": f"{site.clock.now():%Y-%m-%dT%H:%M:%SZ}",
    }


def identity(site: Site, user: User) -> dict[str, Any]:
    """The body of the identity URL: the same facts under other names."""
    return {
        "id": site.identity_url(user.id),
        "asserted_user": True,
        "user_id": user.id,
        "organization_id": site.organization_id,
        "username": user.username,
        "nick_name": user.username.partition("@")[0],
        "display_name": user.name,
        "email": user.email,
        "email_verified": True,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "timezone": user.timezone,
        "photos": _photos(site),
        "addr_street": None,
        "addr_city": None,
        "addr_state": None,
        "addr_country": None,
        "addr_zip": None,
        "mobile_phone": None,
        "mobile_phone_verified": False,
        "is_lightning_login_user": False,
        "status": {"created_date": None, "body": None},
        "urls": _urls(site, user),
        "active": user.active,
        "user_type": "STANDARD",
        "language": user.language,
        "locale": user.locale,
        "utcOffset": _standard_offset(user),
        "last_modified_date": f"{site.clock.now():%Y-%m-%dT%H:%M:%SZ}",
        "is_app_installed": True,
    }


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _number(value: int) -> str:
    return _b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


@functools.cache
def signing_key() -> rsa.RSAPrivateKey:
    """Signs id tokens: made when it is first needed, published under ``/id/keys``."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def key_id() -> str:
    """The name of the signing key."""
    modulus = signing_key().public_key().public_numbers().n
    return hashlib.sha256(str(modulus).encode()).hexdigest()[:8]


def keys() -> dict[str, Any]:
    """The body of ``/id/keys``."""
    numbers = signing_key().public_key().public_numbers()
    key = {
        "kty": "RSA",
        "use": "sig",
        "alg": "RS256",
        "kid": key_id(),
        "n": _number(numbers.n),
        "e": _number(numbers.e),
    }
    return {"keys": [key]}


def openid_configuration(site: Site) -> dict[str, Any]:
    """The body of ``/.well-known/openid-configuration``."""
    base = f"{site.base_url}/services/oauth2"
    return {
        "issuer": site.base_url,
        "authorization_endpoint": f"{base}/authorize",
        "token_endpoint": f"{base}/token",
        "revocation_endpoint": f"{base}/revoke",
        "userinfo_endpoint": f"{base}/userinfo",
        "jwks_uri": f"{site.base_url}/id/keys",
        "scopes_supported": ["api", "refresh_token", "openid", "full"],
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "code_challenge_methods_supported": ["S256"],
    }


def id_token(site: Site, user: User, *, nonce: str | None) -> str:
    """An id token signed RS256 with the key published under ``/id/keys``."""
    now = int(site.clock.now().timestamp())
    claims: dict[str, Any] = {
        "iss": site.base_url,
        "sub": site.identity_url(user.id),
        "aud": site.app.client_id,
        "iat": now,
        "exp": now + ID_TOKEN_SECONDS,
    }
    if nonce is not None:
        claims["nonce"] = nonce
    header = {"alg": "RS256", "kid": key_id(), "typ": "JWT"}
    signed = f"{_b64(dumps(header))}.{_b64(dumps(claims))}"
    signature = signing_key().sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signed}.{_b64(signature)}"
