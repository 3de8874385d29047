"""What we believed before the data: one TOML table a set, one row a parameter, each with its reason."""
