"""Reproducible measurements of Tessera beside a floor and a rival, in the same run.

A *floor* is the least that the work could cost: the same data through a plain engine that checks
nothing. A *rival* is a well-known tool for the same task by its documented fastest path. Ratios
are only printed where both sides were measured.
"""
