"""Answers compiled for the next time: what a cold `permcheck check` reads in place of the estate."""
