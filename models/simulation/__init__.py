"""The independent oracle behind `models.simulate`: NumPy and the standard library, no model and no equation."""
