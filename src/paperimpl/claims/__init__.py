"""Experiments: one file per paper, same names. Each says what its paper states and measures whether it holds."""
