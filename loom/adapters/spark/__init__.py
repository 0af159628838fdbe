"""ETL on Spark, over Parquet tables whose commits are atomic."""
