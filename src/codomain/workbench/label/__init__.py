"""`codomain label`: few labels in, calibrated labels out."""
