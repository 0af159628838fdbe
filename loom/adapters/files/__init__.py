"""Plain files of this machine: the record of ETL runs as JSON lines."""
