"""Imports of files of any size: planned once, carried out in parts, reported and undone.

    file.csv ──► plan ──► parts/00001.jsonl ──► queue ──► done/00001.json ──► report
                  │        rows of whole customers          what became of its rows
                  └──► done/00000.json: rows that cannot be read

Everything about a run lies in the imports' bucket; what was booked is known by the ledger alone.
"""
