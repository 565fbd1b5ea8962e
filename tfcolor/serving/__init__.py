"""Asking a server that runs an exported model."""
