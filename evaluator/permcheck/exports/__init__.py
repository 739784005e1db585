"""Exports of other tools, read as an estate."""
