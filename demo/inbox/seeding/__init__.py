"""What the demo's inbox starts with."""
