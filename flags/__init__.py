"""Groups of absl flags, one topic a file."""
