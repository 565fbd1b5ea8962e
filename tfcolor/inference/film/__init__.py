"""Films: frames in and out, and colors that do not flicker."""
