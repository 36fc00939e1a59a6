"""Salesforce in memory: the same port as the real one, held by the same contract suite."""

from tests.fake_salesforce.gateway import FakeGateway
from tests.fake_salesforce.org import document_of, shipped_schemas
from tests.fake_salesforce.salesforce import FakeCall, FakeSalesforce

__all__ = ["FakeCall", "FakeGateway", "FakeSalesforce", "document_of", "shipped_schemas"]
