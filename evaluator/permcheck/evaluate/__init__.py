"""Questions, tests, decisions, fixes."""
