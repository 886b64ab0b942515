"""Whole runs of Walkhouse, from landed files to published tables, against the reference."""
