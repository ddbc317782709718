"""What a delivery and an edition promise, as Great Expectations suites: one function a suite.

`delivery` and `edition` hold the suites, `registry` what makes them, `engine` runs them in DuckDB,
`outcome` is what came of it and `data_docs` shows it to people. Only `outcome` is cheap to import:
Great Expectations takes seconds, so stages import the rest when they run.
"""

from expectations.later import put_off

# a third of the import of Great Expectations, for expectations about distributions: there are none
put_off("scipy.stats")
