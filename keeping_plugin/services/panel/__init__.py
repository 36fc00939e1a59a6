"""What agents see, edit and add."""
