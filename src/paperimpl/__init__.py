"""The history of deep learning, one paper at a time."""
