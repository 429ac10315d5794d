"""`codomain compare`: whether two spaces are the same."""
