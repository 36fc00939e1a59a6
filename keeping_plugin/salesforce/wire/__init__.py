"""The wire: one session, one deadline a call, tokens, composites."""
