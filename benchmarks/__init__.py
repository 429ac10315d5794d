"""Ours against the strongest peer, in one process, in turn, as ratios of medians."""
