"""What is owed beside tokens and by whom: fixed costs, splits, reassignments, currencies."""
