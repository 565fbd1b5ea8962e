"""Weights: those that ship, and files that hold a model."""
