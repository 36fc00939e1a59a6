"""One file a threat, named after it; test_every_route.py is every route for every kind of person,
and test_fuzz.py is for what nobody thought of.

Each file's first lines say which smaller proofs of its threat stand elsewhere, beside the module
that they are about.
"""
