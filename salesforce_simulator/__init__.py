"""A simulated Salesforce org: strict where Salesforce is strict."""
