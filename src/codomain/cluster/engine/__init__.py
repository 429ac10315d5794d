"""The groups of `codomain study`, and their names."""
