"""What Numba keeps on disk is never used after a file that it was compiled from has changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ASKED = """
import numpy as np
from models.equations.histories.traits import mode
from models.outcomes import FAMILIES
one = np.ones(1)
print(mode(FAMILIES["logit"].number, 1.5, 0.0 * one, 0.3 * one, np.zeros(1, int), one, np.zeros(1, int), 1e-9)[1])
"""


def _asked(folder: Path) -> float:
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    words = [sys.executable, "-c", ASKED]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=True, timeout=120)
    return float(done.stdout)


@pytest.mark.slow
def test_a_change_in_one_file_reaches_functions_of_another(tmp_path):
    shutil.copytree(ROOT / "models", tmp_path / "models", ignore=shutil.ignore_patterns("__pycache__"))
    before = _asked(tmp_path)
    assert before == _asked(tmp_path)  # the second time from the disk
    file = tmp_path / "models" / "outcomes" / "binary.py"
    text = file.read_text(encoding="utf-8")
    assert "-wrong * (1.0 - wrong)" in text
    file.write_text(text.replace("-wrong * (1.0 - wrong)", "-wrong * (2.0 - wrong)"), encoding="utf-8")
    assert _asked(tmp_path) != before
