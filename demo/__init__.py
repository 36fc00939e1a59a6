"""What runs in the demo: the simulated org and a small inbox."""
