"""Models: one file per paper, named by its slug. A later paper may import an earlier one, never the reverse."""
