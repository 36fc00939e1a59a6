"""A small shared inbox: the host in which the demo mounts the Salesforce plugin (`app.py`)."""
