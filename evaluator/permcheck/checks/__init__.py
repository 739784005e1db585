"""Checks of role definitions, estates and the policy."""
