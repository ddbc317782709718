"""Guesses at an export that nobody has described yet: a draft of its source spec."""
