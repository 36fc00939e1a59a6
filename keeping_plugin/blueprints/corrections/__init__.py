"""What admins take back and mend in Salesforce: undo, and people without an Account."""
