"""The rules of points: standard library only, no clock, no I/O, integers only."""
