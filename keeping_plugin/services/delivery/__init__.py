"""The delivery: what is owed leaves once, whatever is killed, repeated or delayed.

Read `drain` for the protocol, `plan` for its judgement, `sweep` for what happens without a ring.
"""

from keeping_plugin.services.delivery.drain import drain
from keeping_plugin.services.delivery.parts import ClockWatch, Delivery
from keeping_plugin.services.delivery.sweep import sweep

__all__ = ["ClockWatch", "Delivery", "drain", "sweep"]
