"""What we assume and compute: study and trial, equations, models, fit, estimands, checks."""
