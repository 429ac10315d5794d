"""The page and the API over spaces: one process, no database, nothing written into a space."""
