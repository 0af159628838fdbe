"""ETL on one machine: Polars, lazily and streaming, over Delta tables."""
