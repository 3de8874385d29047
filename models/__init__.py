"""What we assume and compute, in rooms that each ask one question and import only from those before them.

numerics (functions of numbers) → outcomes (how an outcome can arise) → trial (what is in the file) → design (what a
model sees of it) → equations (what is assumed) → inference (draws) → estimands (what is asked of draws) → checks (may
they be believed) → runs (one job, its folder). On these stand replications (thousands of jobs) and calibration (would
the method find the truth). Beside trial stands simulation; it imports none of them, so that it can be held against all.
import-linter holds it so (`pyproject.toml`).
"""
