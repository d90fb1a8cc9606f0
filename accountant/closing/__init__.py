"""Months that are closed: what never changes again, and what corrects it later."""
