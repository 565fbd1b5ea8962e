"""A page on this machine where a person colors photos: `tfcolor studio`."""
