"""Mail to text, names and Task fields: pure."""
