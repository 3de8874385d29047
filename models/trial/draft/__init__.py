"""A first study file for a data file that has none: guessed, for a person to correct."""
