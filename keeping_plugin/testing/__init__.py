"""Stand-ins for everything outside, and contract suites that a host may run against its own parts.

from keeping_plugin.testing import FakeHelpDesk, FakeSalesforce
from keeping_plugin.testing.contracts import HelpDeskContract      # needs pytest
"""

from keeping_plugin.testing.clock import FakeClock
from keeping_plugin.testing.fake_gateway import FakeGateway
from keeping_plugin.testing.fake_org import shipped_schemas
from keeping_plugin.testing.helpdesk import FakeCompany, FakeHelpDesk
from keeping_plugin.testing.queue import FakeQueue
from keeping_plugin.testing.salesforce import FakeCall, FakeSalesforce

__all__ = [
    "FakeCall",
    "FakeClock",
    "FakeCompany",
    "FakeGateway",
    "FakeHelpDesk",
    "FakeQueue",
    "FakeSalesforce",
    "shipped_schemas",
]
