"""Logging in: authorize, token, revoke, identity."""
