"""The agents' side: the panel beside a conversation."""
