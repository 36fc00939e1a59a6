"""What admins read."""
