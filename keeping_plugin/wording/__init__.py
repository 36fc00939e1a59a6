"""What people read about codes: tables of sentences."""
