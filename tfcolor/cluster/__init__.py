"""Albums on many machines, by Ray Data."""
