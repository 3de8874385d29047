"""Thousands of independent replications: shared out to processes or machines, each written down once it is finished."""
