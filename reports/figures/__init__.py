"""Figures, one a file; each draws itself twice, for a screen and for a phone."""
