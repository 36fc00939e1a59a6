"""What admins take back in Salesforce: records that the automations made."""
