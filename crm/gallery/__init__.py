"""The gallery: every feature of `render_table` on example data of its own, for whoever declares a table.

Plants in greenhouses. Its rows are in a database in memory, one a visitor, and gone with the visit.
"""
