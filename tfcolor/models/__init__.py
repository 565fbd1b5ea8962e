"""Builder functions: `name(*, ...) -> keras.Model`."""
