"""Scans in DICOM: reading them, and writing what derives from them."""
