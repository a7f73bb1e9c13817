"""Pointbook: the book of a shop's loyalty points. Importing the package does nothing."""

__version__ = "0.1.0"
