"""The health of one space, from its rows, its neighbour lists and its labels."""
