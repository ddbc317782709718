"""What Airflow's triggerer watches for us: the only part of the package that imports Airflow."""
