"""Decisions out."""
