"""BI tools that read a release, each in an environment of its own."""
