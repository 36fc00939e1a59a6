"""What the org has, and what agents are shown of it."""
