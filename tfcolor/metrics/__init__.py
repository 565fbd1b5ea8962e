"""Picture metrics, one idea a file."""
