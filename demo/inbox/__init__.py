"""A small shared inbox: the host in which the demo mounts the Salesforce plugin."""

from demo.inbox.app import create_app

__all__ = ["create_app"]
