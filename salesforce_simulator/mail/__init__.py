"""Emails and the Tasks they make, the people of activities, archiving.

Nothing of it is there until ``Org.use_mail`` or ``Org.use_shared_activities`` adds the objects.
"""
