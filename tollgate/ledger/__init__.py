"""Where usage is counted: apply-once on Redis, its memory twin, the archive."""
