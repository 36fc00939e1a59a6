"""One file a threat of SECURITY.md's list, named after it.

Proved elsewhere: T2, key rotation (tests/services/test_key_rotation.py); T4, the popup: a foreign
message, a lost opener, a mute channel (tests/browser/test_settings.py) and a last page without data
(tests/blueprints/test_oauth.py); T8 and T9, every route for every kind of person
(test_every_route.py, fields and records in test_t06_paths.py); T17 in test_t16_disconnect.py; T20,
pins and pip-audit (tests/tools/test_check_pins.py). test_fuzz.py is for what nobody thought of.
"""
