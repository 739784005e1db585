"""Give an estate other names, with the same decisions."""
