"""Messages through the rules: live, earlier mail, dry run."""
