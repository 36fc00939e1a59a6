"""SOQL and SOSL: from the text of a statement to its rows."""
