"""Pages of runs: sections composed and written, the record as JSON, the index of runs."""
