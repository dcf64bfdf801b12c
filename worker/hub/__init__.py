"""What comes from a hub of models: kept in the cache that all programs on this machine share."""
