"""Pictures in: tf.data from end to end."""
