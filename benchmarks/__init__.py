"""What Walkhouse costs, measured as ratios within one run on the same files.

`catalogue` says what is measured and what it must reach; `workbench` runs programs, clocks them and
keeps simulated landings; `days`, `histories` and `reading` take the measures; `programs` holds what
runs in a process of its own beside Walkhouse; `results` shows and keeps what came out, with the
`conditions` under which it did.
"""
