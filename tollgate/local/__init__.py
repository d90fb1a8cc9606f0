"""The same pipeline on one machine: simulated regions, Event Grid delivery, embedded Redis."""
