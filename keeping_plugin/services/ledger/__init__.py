"""Entries, address claims and locks: the truth of what is owed."""
