"""What denoises a scan, and bundles of it."""
