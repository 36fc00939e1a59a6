"""Faults that tests order, and the HTTP exchange they strike."""
