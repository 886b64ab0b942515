"""Copies of a release elsewhere.

`target` says what every kind of copy can do, `s3` and `postgres` are the kinds, `owner` says which
installation sends, and `send` asks and sends all copies of an installation.
"""
