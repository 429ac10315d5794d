"""Export a studied space to a vector store: one file a store, and what they share."""
