"""Test beds from WordNet."""
