"""Functions of numbers, faster or more exact than a library's: logistic functions, averages over a normal trait."""
