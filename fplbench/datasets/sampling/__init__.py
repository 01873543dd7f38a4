"""Drawing stacks of images from a data set."""
