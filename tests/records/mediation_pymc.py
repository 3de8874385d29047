"""The mediation model beside a PyMC program written from MODEL.md alone: `python -m tests.records.mediation_pymc LAG`.

Writes one row a parameter to standard output: its mean and SD in the product and in the program, and how many effective
draws each has. 8 to 15 minutes on one core. The trial is simulated, complete, 120 participants by 4 waves with one
continuous mediator and one share; the program samples every trait and integrates a share before the first wave over 40
nodes of its density, where the product takes two.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace

import arviz_stats
import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr

from models.calibration import simulated_trials
from models.design.layout import design
from models.equations.mediation import Mediation
from models.inference import nuts
from models.simulation import simulated_trial
from priors import prior_set

mediation = Mediation()

COLUMNS = ("lag", "parameter", "ours", "ours_sd", "ours_ess", "theirs", "theirs_sd", "theirs_ess")
DRAWS, TUNE, CHAINS = 8000, 1000, 2
CONTINUOUS, SHARE = "social_support", "income_share"
ROLES = ("baseline", "negative control", "follow-up", "follow-up")


def product(lag: int) -> tuple[xr.Dataset, xr.Dataset]:
    """The trial, and the product's draws of its parameters, named as the program's."""
    scenario = replace(simulated_trial.load("mediation_clean"), lag=lag).with_participants(60, 60)
    study, trial = simulated_trials.simulated(scenario, 11)
    assert tuple(wave.role for wave in study.waves) == ROLES
    assert trial["outcome"].notnull().all()
    assert trial["mediator_value"].notnull().all()
    layout = design(study, trial)
    sampler = nuts.Sampler(draws=DRAWS, tune=TUNE, chains=CHAINS, seed=3)
    draws = nuts.sample(mediation.ready(layout, prior_set.load()), sampler)["posterior"].to_dataset()
    found = {name: draws[name] for name in ("mu_0", "tau", "cutpoint_low")}
    found |= {name: draws[f"mediator_{name}"] for name in ("residual_sd", "precision")}
    found = {name: part.squeeze(drop=True) for name, part in found.items()}
    found |= {f"step {k}": draws["step"].isel(step_to=k - 1, drop=True) for k in (1, 2, 3)}
    found |= {f"theta {k}": draws["theta"].isel(follow_up=k, drop=True) for k in (0, 1)}
    for name in (CONTINUOUS, SHARE):
        found[f"slope of {name}"] = draws["slope"].sel(acting_mediator=name, drop=True)
        found[f"tau of {name}"] = draws["mediator_tau"].sel(lasting_mediator=name, drop=True)
        for k in (0, 1):
            found[f"theta {k} of {name}"] = draws["mediator_theta"].sel(mediator=name, drop=True).isel(follow_up=k)
    return trial, _alone(found)


def program(trial: xr.Dataset, lag: int) -> xr.Dataset:
    """Draws of the same parameters by a program that shares no line with the product, the simulator apart."""
    yes, arm = trial["outcome"].to_numpy().astype(int), trial["arm"].to_numpy() - 0.5
    support, share = (trial["mediator_value"].sel(mediator=name).to_numpy() for name in (CONTINUOUS, SHARE))
    middle, scale = share[:, 0].mean(), share[:, 0].std(ddof=1)
    support = (support - support[:, 0].mean()) / support[:, 0].std(ddof=1)
    people, waves = yes.shape
    zero, one = share == 0, share == 1
    between = ~(zero | one)
    with pm.Model() as model:
        level, effect = zip(*(_levels(name, waves) for name in ("", f" of {CONTINUOUS}", f" of {SHARE}")), strict=True)
        tau = [pm.HalfNormal("tau", 1.0)] + [pm.HalfNormal(f"tau of {name}", 0.7) for name in (CONTINUOUS, SHARE)]
        # PyMC's LKJCorr (6.4) is the Cholesky root of the matrix, not the matrix
        root = pm.LKJCorr("root", n=3, eta=2)
        trait = pt.stack(tau)[:, None] * pt.dot(root, pm.Normal("standard", shape=(3, people)))
        outcome, first, second = (level[k][None] + arm[:, None] * effect[k][None] + trait[k][:, None] for k in range(3))
        noise = pm.HalfNormal("residual_sd", 1.0)
        pm.Normal("support", first, noise, observed=support)
        low, precision = pm.Normal("cutpoint_low", -3, 1), pm.Gamma("precision", 4, 0.2)
        high = low + pm.Gamma("gap", 6, 1)
        mean, at_zero, at_one = pm.math.sigmoid(second), pm.math.sigmoid(low - second), pm.math.sigmoid(second - high)
        inside = pt.log(1 - at_zero - at_one)[between] + _beta(share[between], mean[between], precision)
        pm.Potential("share", pt.log(at_zero[zero]).sum() + pt.log(at_one[one]).sum() + inside.sum())
        slope = [pm.Normal(f"slope of {name}", 0, 0.5) for name in (CONTINUOUS, SHARE)]
        kept = waves - lag
        linear = outcome[:, lag:] + slope[0] * support[:, :kept] + slope[1] * (share[:, :kept] - middle) / scale
        pm.Bernoulli("yes", logit_p=linear, observed=yes[:, lag:])
        if lag:
            before = first[:, 0] + noise * pm.Normal("support before", shape=people)
            rest = outcome[:, 0] + slope[0] * before

            def likely(value: float) -> pt.TensorVariable:
                linear = rest + slope[1] * (value - middle) / scale
                return pm.logp(pm.Bernoulli.dist(logit_p=linear), yes[:, 0])

            node, weight = np.polynomial.legendre.leggauss(40)
            terms = [
                np.log(w / 2) + _beta((x + 1) / 2, mean[:, 0], precision) + likely((x + 1) / 2)
                for x, w in zip(node, weight, strict=True)
            ]
            inside = pt.log(1 - at_zero - at_one)[:, 0] + pt.logsumexp(pt.stack(terms), axis=0)
            ends = [pt.log(at_zero[:, 0]) + likely(0.0), pt.log(at_one[:, 0]) + likely(1.0)]
            pm.Potential("first outcome", pt.logsumexp(pt.stack([inside, *ends]), axis=0).sum())
        drawn = pm.sample(
            DRAWS,
            tune=TUNE,
            chains=CHAINS,
            cores=1,
            nuts_sampler="nutpie",
            target_accept=0.9,
            random_seed=5,
            progressbar=False,
        )
    posterior = drawn["posterior"].to_dataset()
    found = {str(name): posterior[name] for name in posterior if posterior[name].ndim == 2}
    for name, part in posterior.items():
        if str(name).startswith(("step", "theta")):
            first_number = 1 if str(name).startswith("step") else 0
            word, _, of = str(name).partition(" of ")
            for k in range(part.shape[-1]):
                found[f"{word} {k + first_number}{' of ' + of if of else ''}"] = part[..., k]
    assert model.free_RVs
    return _alone(found)


def _alone(found: Mapping[str, xr.DataArray]) -> xr.Dataset:
    """Draws (chain, draw) of scalars, without the labels that they came with."""
    return xr.Dataset({name: (("chain", "draw"), part.to_numpy()) for name, part in found.items()})


def _levels(suffix: str, waves: int) -> tuple[pt.TensorVariable, pt.TensorVariable]:
    """Level and effect of the arm at each wave of one equation."""
    first, step = pm.Normal(f"mu_0{suffix}", 0, 1.5), pm.Normal(f"step{suffix}", 0, 0.75, shape=waves - 1)
    follow = [k for k, role in enumerate(ROLES) if role == "follow-up"]
    covariance = 0.7**2 * (0.5 * np.eye(len(follow)) + 0.5)
    theta = pm.MvNormal(f"theta{suffix}", np.zeros(len(follow)), cov=covariance)
    effect = [pt.zeros(())] * waves
    for k, wave in enumerate(follow):
        effect[wave] = theta[k]
    effect[ROLES.index("negative control")] = pm.Normal(f"control{suffix}", 0, 0.7)
    return pt.concatenate([first[None], first + pt.cumsum(step)]), pt.stack(effect)


def _beta(value: float | np.ndarray, mean: pt.TensorVariable, precision: pt.TensorVariable) -> pt.TensorVariable:
    """Log density of a beta distribution by mean and precision."""
    a, b = mean * precision, (1 - mean) * precision
    constant = pt.gammaln(precision) - pt.gammaln(a) - pt.gammaln(b)
    return (a - 1) * np.log(value) + (b - 1) * np.log1p(-value) + constant


def rows(lag: int, ours: xr.Dataset, theirs: xr.Dataset) -> Sequence[Mapping[str, object]]:
    """One a parameter that both have."""
    assert set(ours.data_vars) <= set(theirs.data_vars), sorted(set(ours.data_vars) - set(theirs.data_vars))
    found = []
    for name in sorted(map(str, ours.data_vars)):
        row: dict[str, object] = {"lag": lag, "parameter": name}
        for who, draws in (("ours", ours[name]), ("theirs", theirs[name])):
            numbers = (float(draws.mean()), float(draws.std()), float(arviz_stats.ess(draws)))
            row |= dict(zip((who, f"{who}_sd", f"{who}_ess"), (f"{n:.5g}" for n in numbers), strict=True))
        found.append(row)
    return found


if __name__ == "__main__":
    lag = int(sys.argv[1])
    trial, ours = product(lag)
    table = csv.DictWriter(sys.stdout, COLUMNS)
    table.writeheader()
    table.writerows(rows(lag, ours, program(trial, lag)))
