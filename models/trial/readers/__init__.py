"""From a data file of any kind to one table of text, and what the text of a cell stands for."""
