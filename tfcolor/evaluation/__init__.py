"""Tables, figures and reports over a folder of pictures."""
