"""The Airflow that comes with a home: SQLite, local tasks, bound to this machine."""
