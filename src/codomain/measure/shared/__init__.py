"""What the measures of this room share."""
