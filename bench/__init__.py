"""Side-by-side measurements. Figures are ratios within one run; absolute times are this machine's."""
