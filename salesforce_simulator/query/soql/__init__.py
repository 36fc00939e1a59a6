"""SOQL: tokens, syntax tree and parser. Names are not looked up here."""

from __future__ import annotations

from salesforce_simulator.query.soql.parser import parse, parse_condition

__all__ = ["parse", "parse_condition"]
