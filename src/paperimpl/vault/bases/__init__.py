"""Obsidian's Bases: `.base` files, their expression language, and what a view of one shows. Knows no HTML."""
