"""Test beds of pictures."""
