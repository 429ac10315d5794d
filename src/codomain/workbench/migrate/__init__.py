"""`codomain migrate`: move a space to another encoder."""
