"""What NUTS evaluates, compiled by Numba once for every trial: log densities and their gradients."""
