"""What a reader sees: pages, tables and figures, from saved runs.

text (words, numbers, sentences) → figures → sections → page; beside page, simulations (pages of calibrations and
designs) and diagnostics (ArviZ's pictures). A room imports only from those before it, from `models` (its vocabulary)
and from `priors`; no room loads a sampler. import-linter holds it so (`pyproject.toml`).
"""
