"""MIME messages, as mail comes in."""
