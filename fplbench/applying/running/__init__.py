"""Runs over scans: their inputs, outputs, and how they continue."""
