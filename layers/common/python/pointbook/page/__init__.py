"""Texts of my page in the API's answers: numbers, days and ranks, in English and Japanese.

Pure functions. web/ has the page's script with the texts that it shows itself; local/page/ is the
page that the laptop stack serves in place of a shop's.
"""
