"""Made-up cohorts: every person, school and sentence in them is invented."""
