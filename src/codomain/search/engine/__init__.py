"""The engine behind `codomain search`: exact neighbours, keywords, filters, scores with a null."""
