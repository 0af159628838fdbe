"""ETL: steps over tables and files, compiled into a plan that an engine runs."""
