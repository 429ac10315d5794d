"""How alike two spaces of the same rows are, beside what chance gives."""
