"""The month's chargeback as one document: table, CSV, JSON."""
