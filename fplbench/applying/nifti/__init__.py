"""Scans in NIfTI: reading them, and writing what derives from them."""
