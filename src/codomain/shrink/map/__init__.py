"""The map in two dimensions."""
