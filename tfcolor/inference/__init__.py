"""A picture of any size in, the same size out."""
