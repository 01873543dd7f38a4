"""File formats: DICOM, NIfTI, PNG and JPEG, and what their headers and values mean."""
