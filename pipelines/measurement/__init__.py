"""Measurement science as pure functions on frames and arrays: no files, no database."""
