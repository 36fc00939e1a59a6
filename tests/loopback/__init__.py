"""Nothing in the tests may talk to anything but this machine."""
