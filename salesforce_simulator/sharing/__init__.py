"""Which rows a user sees and may change: organization-wide defaults, owners, roles, queues."""
