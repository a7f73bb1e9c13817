"""Side-by-side measurements: ratios within one run; absolute times are this machine's."""
