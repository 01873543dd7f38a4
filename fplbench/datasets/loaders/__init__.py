"""The loaders: each finds the images of one kind of data set, and registers itself."""
