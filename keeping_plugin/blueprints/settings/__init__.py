"""The admins' side: connecting, fields, automation, activity."""
