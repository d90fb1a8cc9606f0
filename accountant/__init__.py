"""From the ledger's cells to what each team owes."""
