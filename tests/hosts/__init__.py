"""Hosts of every kind, each mounting the plugin through its public names."""
