"""What runs in the demo: a small inbox, its worker, and the simulated org beside it."""
