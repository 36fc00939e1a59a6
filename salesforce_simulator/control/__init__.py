"""The control prefix: how tests and demos steer the org."""
