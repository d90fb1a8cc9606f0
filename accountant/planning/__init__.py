"""Planning: what the months say of each other, and of the days to come."""
