"""Files: ContentVersion, ContentDocument, ContentDocumentLink, and what storage allows.

Nothing of it is there until ``Org.use_feature("files", …)`` adds the objects.
"""
