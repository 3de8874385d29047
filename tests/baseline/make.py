"""Write the baseline of a run: `uv run tests/baseline/make.py RUN > tests/baseline/undarga.csv`.

Do this only when numbers are meant to move, and say so in CHANGELOG.md.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

from models.estimands import summary
from models.runs import folder as run

HEAD = (
    "# SIMULATED DATA (studies/undarga): medians and 95% intervals, to notice when they move; no number is a trial's\n"
)
KEYS = ["section", "quantity"]
NUMBERS = ["median", "lower", "upper"]


def rows(folder: Path) -> pd.DataFrame:
    """Estimates, parameters and model-free differences of a run, with the Monte-Carlo error of each number.

    Returns
    -------
    DataFrame
        section, quantity, median, lower, upper, mcse_median, mcse_lower, mcse_upper (0 where nothing is drawn).
    """
    loaded = run.load(folder)
    kept = loaded.estimates[loaded.estimates.average.eq("population") & loaded.estimates.rhat.notna()]
    place = [", ".join(part for part in parts if part) for parts in zip(kept.arm, kept.wave, strict=True)]
    estimates = kept.assign(section=kept.estimand, quantity=place)
    parts = [estimates, _parameters(loaded), _model_free(loaded)]
    errors = [f"mcse_{name}" for name in NUMBERS]
    return pd.concat([part[[*KEYS, *NUMBERS, *errors]] for part in parts], ignore_index=True)


def _parameters(loaded: run.Run) -> pd.DataFrame:
    found = []
    posterior = loaded.tree["posterior"].to_dataset().drop_vars("trait", errors="ignore")
    errors = summary.diagnostics(posterior)
    for name, value in posterior.items():
        others = [dim for dim in value.dims if dim not in ("chain", "draw")]
        cells = [{others[0]: label} for label in value[others[0]].to_numpy()] if others else [{}]
        for cell in cells:
            limits = value.sel(cell).quantile([0.5, summary.LOWER, summary.UPPER]).to_numpy()
            mcse = {f"mcse_{kind}": float(errors[name].sel(cell | {"diagnostic": f"mcse_{kind}"})) for kind in NUMBERS}
            label = f"{name}[{next(iter(cell.values()))}]" if cell else str(name)
            found.append({"section": "parameter", "quantity": label, **dict(zip(NUMBERS, limits, strict=True)), **mcse})
    return pd.DataFrame(found)


def _model_free(loaded: run.Run) -> pd.DataFrame:
    table = loaded.model_free.rename(columns={"estimate": "median"})
    quantity = table.method + ", " + table.wave
    return table.assign(section="model-free", quantity=quantity, mcse_median=0.0, mcse_lower=0.0, mcse_upper=0.0)


if __name__ == "__main__":
    sys.stdout.write(HEAD)
    rows(Path(sys.argv[1]))[[*KEYS, *NUMBERS]].to_csv(sys.stdout, index=False, float_format="%.6g", lineterminator="\n")
