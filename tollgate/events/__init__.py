"""How usage travels: the journal, Event Grid, the intake, dead letters."""
