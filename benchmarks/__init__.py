"""Programs that time tfcolor beside the PyTorch networks it replaces."""
