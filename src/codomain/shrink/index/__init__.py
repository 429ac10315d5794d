"""Recipes, their codes and indices, and the certificate of what they keep."""
