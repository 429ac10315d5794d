"""How similar two spaces of the same rows are, compared with chance."""
