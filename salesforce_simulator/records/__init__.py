"""Saving, reading and removing records, in the order Salesforce documents."""
