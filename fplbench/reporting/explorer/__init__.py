"""The explorer: one page for each data set on which images, methods and scores can be compared."""
