"""Read a Stata or SPSS file in a process of its own: their reader is C, and a damaged file can crash it outright."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pandas as pd

READER = {".dta": "read_dta", ".sav": "read_sav"}
_CHILD = """
import pickle, sys, warnings
import pyreadstat
warnings.simplefilter("ignore")  # of unused value labels
frame, _ = getattr(pyreadstat, sys.argv[1])(sys.argv[2], apply_value_formats=True, formats_as_category=False)
sys.stdout.buffer.write(pickle.dumps(frame))
"""


def read(path: Path) -> pd.DataFrame:
    """The table, labels in place of labelled codes, missing values of every kind as NaN or None.

    Raises
    ------
    OSError
        If there is no such file, or it cannot be opened.
    ValueError
        If the reader refuses the file, or breaks on it.
    """
    path.open("rb").close()  # the reader's own message for a file that is not there does not say so
    command = [sys.executable, "-c", _CHILD, READER[path.suffix.lower()], str(path)]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode < 0:
        raise ValueError("none; the file is damaged and broke it")
    if done.returncode > 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise ValueError(said[-1] if said else "none")
    return pickle.loads(done.stdout)
