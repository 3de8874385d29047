"""Pages on calibration and design studies."""
