"""What every engine does in the same way: lineage, commits, retries, dead letters, steps and sinks."""
