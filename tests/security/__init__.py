"""One file a threat of the list in SECURITY.md, named after it."""
