"""Annotated lesions: readers of annotations, the lesion stacks beside the images, and inserted lesions."""
