"""The only code that opens DuckDB for writing: load, build, audit, publish."""
