"""A company and its org: log in, stay connected, disconnect."""
