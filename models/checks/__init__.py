"""May a posterior be believed: computation, fit to the data, and how the answer moves with what is assumed."""
