"""Numerics that several rooms need, written once."""
