"""Bridges from one encoder to another, and how far to trust them row by row."""
