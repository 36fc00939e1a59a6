"""One CSRF token for every form and every fetch of ours.

The host's Flask-WTF is used when it is there, so that its own check and ours agree; otherwise
WTForms' session token, which holds as long as the login does: a form left open over lunch is not
refused. The token arrives in the form field or in the `X-CSRFToken` header.
"""

from __future__ import annotations

from typing import Any

from flask import current_app, request, session
from markupsafe import Markup
from wtforms import Form
from wtforms.csrf.core import CSRF, CSRFTokenField
from wtforms.csrf.session import SessionCSRF
from wtforms.validators import ValidationError

from keeping_plugin.errors import CsrfFailed

HEADERS = ("X-CSRFToken", "X-CSRF-Token")


def host_protects() -> bool:
    """Whether the host runs Flask-WTF's CSRFProtect over every request."""
    return "csrf" in current_app.extensions


class _SessionToken(SessionCSRF):
    def validate_csrf_token(self, form: Any, field: CSRFTokenField) -> None:
        # SessionCSRF takes it for granted that the session has seen a token before.
        if "csrf" not in session:
            raise ValidationError(field.gettext("CSRF token missing."))
        super().validate_csrf_token(form, field)


class _HostToken(CSRF):
    def generate_csrf_token(self, csrf_token_field: CSRFTokenField) -> str:
        from flask_wtf.csrf import generate_csrf

        token: str = generate_csrf()
        return token

    def validate_csrf_token(self, form: Any, field: CSRFTokenField) -> None:
        from flask_wtf.csrf import validate_csrf

        validate_csrf(field.data)


class _TokenForm(Form):
    class Meta:
        csrf = True
        csrf_time_limit = None

        @property
        def csrf_class(self) -> type[CSRF]:
            return _HostToken if host_protects() else _SessionToken

        @property
        def csrf_secret(self) -> bytes:
            key = current_app.secret_key or ""
            return key.encode() if isinstance(key, str) else key

        @property
        def csrf_context(self) -> Any:
            return session

        @property
        def csrf_field_name(self) -> str:
            return field_name()


def field_name() -> str:
    """The name of the hidden field: the host's own, or `csrf_token`."""
    name: str = current_app.config.get("WTF_CSRF_FIELD_NAME") or "csrf_token"
    return name


def token() -> str:
    """The token for this session."""
    field = _TokenForm()[field_name()]
    # The stubs leave `current_token` out.
    return str(field.current_token)  # type: ignore[attr-defined]


def hidden_field() -> Markup:
    """The token as a hidden input, for a form of ours in anybody's template."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(field_name(), token())


def check() -> None:
    """Raises CsrfFailed unless this request carries the session's token."""
    sent = request.form.get(field_name()) or next(
        filter(None, map(request.headers.get, HEADERS)), ""
    )
    form = _TokenForm(data={})
    form[field_name()].process_formdata([sent] if sent else [])
    if not form.validate():
        raise CsrfFailed(
            "This page is from an earlier session, so nothing was changed. Go back, reload "
            "it and try again."
        )
