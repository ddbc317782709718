"""xAPI statements: what versions 1.0.3 and 2.0 (IEEE 9274.1.1) ask of each, to the letter."""
