"""What an administrator has the org do with saves: triggers, flows and automatic answers."""
