"""State that another version of Walkhouse left."""
