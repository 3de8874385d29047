"""The independent oracle that makes simulated trials: NumPy and the standard library, no model and no equation."""
