"""Fakes of the inbox, the queue and the clock, and the contract suite for a host's HelpDesk.

from keeping_plugin.testing import FakeHelpDesk, FakeQueue
from keeping_plugin.testing.contracts import HelpDeskContract      # needs pytest
"""

from keeping_plugin.testing.clock import FakeClock
from keeping_plugin.testing.helpdesk import FakeCompany, FakeHelpDesk
from keeping_plugin.testing.queue import FakeQueue

__all__ = ["FakeClock", "FakeCompany", "FakeHelpDesk", "FakeQueue"]
