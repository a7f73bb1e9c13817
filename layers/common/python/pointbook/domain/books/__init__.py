"""Bookkeeping: what entries add up to over a period, what is outstanding, and a journal of it."""
