"""What is asked of Salesforce and what its answers say, as our values."""
