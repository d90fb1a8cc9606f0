"""What was used: the event contract, token counts, extraction from answers. Pure."""
