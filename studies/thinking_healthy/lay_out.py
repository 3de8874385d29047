"""Lay out the public data of the Thinking Healthy trial as `study.toml` reads them: one row a woman and visit.

uv run python studies/thinking_healthy/lay_out.py THP_clean.csv
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

BASELINE = {
    "age": "age_baseline",
    "schooling": "edu_mo_baseline",
    "children": "kids_no",
    "wealth": "wealth_baseline",
}
"""Columns that describe a woman, by their names here."""
VISITS = {
    0: {"support": "mspss_baseline", "controls_spending": "mo_emp"},
    6: {"support": "mspss_6m", "controls_spending": "empowered_6m"},
    12: {"support": "mspss_1y", "not_violent": "nonviolent_1y"},
    84: {"controls_spending": "empowered", "not_violent": "nonviolent"},
}
"""Columns of each month; support at 84 months, asked on another scale, is left out."""
MEASURED = ("violence", "support", "controls_spending")


def laid_out(public: pd.DataFrame) -> pd.DataFrame:
    """One row a woman and visit at which something was measured, of the 903 women of the trial."""
    women = public[public["THP_sample"] == 1].reset_index(drop=True)
    told = {
        "woman": [f"w{number:03d}" for number in range(1, len(women) + 1)],
        "union_council": [f"uc{number:02d}" for number in women["uc"].astype(int)],
        "arm": women["treat"].map({0: "usual care", 1: "therapy"}),
        **{name: women[column] for name, column in BASELINE.items()},
    }
    visits = []
    for month, columns in VISITS.items():
        visit = pd.DataFrame(told | {"month": month} | {name: women[column] for name, column in columns.items()})
        if "not_violent" in visit:
            visit["violence"] = 1 - visit.pop("not_violent")
        visits.append(visit)
    found = pd.concat(visits).reindex(columns=["woman", "union_council", "arm", "month", *MEASURED, *BASELINE])
    whole = found.columns.difference(["woman", "union_council", "arm", "wealth"])
    found[whole] = found[whole].apply(pd.to_numeric).round().astype("Int64")
    found["wealth"] = found["wealth"].round(2)
    return found.dropna(subset=list(MEASURED), how="all").sort_values(["woman", "month"])


if __name__ == "__main__":
    table = laid_out(pd.read_csv(sys.argv[1], low_memory=False))
    table.to_csv(Path(__file__).with_name("data.csv"), index=False, lineterminator="\n")
