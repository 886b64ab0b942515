"""Tools of business intelligence on top of what is published, each in an environment of its own."""
