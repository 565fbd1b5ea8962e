"""The training loop: gets a model and a dataset, builds neither."""
