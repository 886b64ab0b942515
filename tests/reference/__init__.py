"""A second, literal reading of the contract in plain Python, to compare whole runs with.

It shares no code with Walkhouse and reads the definitions from the seeds. It aims at being
obviously right, not at speed: a few seconds for some 20,000 lines.
"""

from tests.reference.warehouse import Warehouse, judged_lines, reference

__all__ = ["Warehouse", "judged_lines", "reference"]
