"""Where a number comes from, and whether archive and ledger say the same."""
