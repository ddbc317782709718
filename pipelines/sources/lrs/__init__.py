"""Pulling statements from a live Learning Record Store into the inbox."""
