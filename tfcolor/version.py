"""The version of tfcolor; setup.py reads it from here."""

__version__ = "0.1.0"
