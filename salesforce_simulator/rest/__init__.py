"""The REST API: versions, resources, composite requests."""
