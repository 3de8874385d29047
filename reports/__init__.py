"""What a reader sees: one page, its tables and figures, from the saved run alone."""
