"""Files of pictures in and out."""
