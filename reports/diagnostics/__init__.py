"""ArviZ's diagnostics of a saved run as pictures, for whoever judges the computation; the page needs none of them."""
