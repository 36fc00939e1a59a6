"""The schema of keeping_plugin, step by step; shipped as ``keeping_plugin.migrations``."""
