"""The `tfcolor` command: thin programs over the library."""
