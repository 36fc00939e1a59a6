"""The org's own pages."""
