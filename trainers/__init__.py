"""Training programs, one a task; run from a checkout."""
