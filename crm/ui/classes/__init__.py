"""The days of a class: as a calendar, added in a series, and the ways from one page of a day to the others."""
