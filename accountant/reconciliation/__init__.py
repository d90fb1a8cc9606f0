"""The ledger against what the provider counted and billed."""
