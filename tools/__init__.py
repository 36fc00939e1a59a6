"""What looks after the project: the checks of `make check`, and what the tests install."""
