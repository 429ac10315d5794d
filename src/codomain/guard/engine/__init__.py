"""The audit of `codomain study`: copies, outliers, doubtful labels."""
