"""Denoising whole scans: DICOM or NIfTI in, the same out, in the scan's own units, size and depth."""
