"""The grant graph."""
