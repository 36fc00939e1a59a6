"""Where an app keeps its plugin: in `app.extensions["keeping"]`, never global."""

from __future__ import annotations

from flask import current_app

from keeping_plugin.services.runtime import Runtime


def current_runtime() -> Runtime:
    """The runtime of the app that serves this request or job."""
    runtime: Runtime = current_app.extensions["keeping"]
    return runtime
