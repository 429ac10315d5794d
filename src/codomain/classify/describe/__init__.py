"""Descriptions of classes, from files, language models, WordNet or the classes' own texts."""
