"""Boxes from an exported detector."""
