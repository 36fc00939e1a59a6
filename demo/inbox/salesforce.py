"""The Salesforce plugin of this inbox, mounted in `app.create_app`."""

from __future__ import annotations

from keeping_plugin import KeepingSalesforce

salesforce = KeepingSalesforce()
