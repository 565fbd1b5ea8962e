"""Examples for training: tf.data from end to end."""
