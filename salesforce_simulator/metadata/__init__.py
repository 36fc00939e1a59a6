"""The org's metadata: objects, fields, users, rights, and what a fresh org holds."""
