"""Boxes of the things in pictures, and the files that hold them."""
