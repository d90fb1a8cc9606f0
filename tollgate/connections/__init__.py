"""Opens connections to what stands outside; knows nothing of the domain."""
