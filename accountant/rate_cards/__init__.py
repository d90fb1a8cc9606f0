"""Rate cards: dated prices, discounts and mark-ups, their files, and price lists of others."""
