"""What things are: pure values. Imports attrs and the standard library, nothing else."""
