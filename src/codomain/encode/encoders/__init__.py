"""Encoders of text, and encoding many rows so that a crash costs one block."""
