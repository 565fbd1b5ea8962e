"""Films: frames in and out, and colours that do not flicker."""
