"""The page of a release: one HTML file without scripts or network.

`page` writes it and `parts` lists what is on it. Each part has a module (`state`, `use`, `items`,
`flows`, `families`) that reads the release into the tables of `section`. `charts` draws, and `text`
formats.
"""
