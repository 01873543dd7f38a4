"""What several loaders share: series, volumes, and pairs of images."""
