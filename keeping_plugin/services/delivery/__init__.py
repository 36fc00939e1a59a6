"""The delivery: what is owed leaves once, whatever is killed, repeated or delayed.

Read `drain` for the protocol, `plan` for its judgement, `sweep` for what happens without a ring.
"""
