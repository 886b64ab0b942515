"""The page of a release: one HTML file without scripts or network.

`page` writes it, `parts` says what is on it, `charts` draws, and `text` formats.
"""
