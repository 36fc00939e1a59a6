"""In which locale and time zone this request's person reads and writes."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from itertools import islice

from flask import Blueprint, g, request
from markupsafe import Markup, escape

from keeping_plugin.locales import Reader
from keeping_plugin.services.panel.display import relative
from keeping_plugin.state import current_runtime

# What a form was printed in, so that it is read alike: "de_DE Europe/Berlin".
FIELD = "reader"
_MAX_LANGUAGES = 5  # of a browser's, the first that is known counts
ZONE_HEADER = "X-Keeping-Time-Zone"  # the browser's, told by keeping.js


def register(bp: Blueprint) -> None:
    """Give the blueprint's templates `keeping_time(moment)`, `keeping_number(count)` and
    `keeping_reader()`."""
    bp.context_processor(
        lambda: {
            "keeping_time": time_markup,
            "keeping_number": number_text,
            "keeping_reader": reader,
        }
    )


def reader() -> Reader:
    """As the form says that is being sent, else as the host says of its agent, else as the browser
    does; international English in UTC where nobody says."""
    locale, _, zone = request.form.get(FIELD, "").partition(" ")
    agent = g.get("keeping_agent")
    locales = [locale] if locale else [agent.locale] if agent is not None and agent.locale else []
    zone = zone or (agent.timezone if agent is not None else "")
    return Reader.named(
        [*locales, *islice(request.accept_languages.values(), _MAX_LANGUAGES)],
        zone or request.headers.get(ZONE_HEADER, ""),
    )


def form_reader() -> Reader | None:
    """Who fills in this request's form; None for a program, which sends plain JSON."""
    return None if request.is_json else reader()


def number_text(count: int) -> str:
    """A count in the reader's locale."""
    return reader().number(Decimal(count))


def time_markup(moment: datetime) -> Markup:
    """How long ago, and exactly when beside it."""
    exact = reader().moment(moment)
    told = relative((current_runtime().clock.now() - moment).total_seconds())
    beside = f' <span class="k-muted">{escape(exact)}</span>' if told else ""
    at = moment.isoformat(timespec="seconds")
    return Markup(f'<time datetime="{at}">{escape(told or exact)}</time>{beside}')  # noqa: S704
