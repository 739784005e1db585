"""Findings out: for people, for editors, for pipelines."""
