"""Diagnostics of fits of every kind: what is drawn, of which parameters, and what is said of what is missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from matplotlib import pyplot
from matplotlib.figure import Figure

from models.checks import predictive
from models.design.layout import Design
from models.equations.effect import Effect
from models.equations.likelihoods import cell_log_probability
from models.runs import arviz_groups
from priors import prior_set
from reports.diagnostics import diagnostic_plots
from tests import pinned

effect = Effect()
KINDS = {"binary": "logit", "count": "negative binomial", "continuous": "normal"}


def grid(layout: Design) -> xr.Dataset:
    """The trial that a layout is of."""
    outcome = np.full((layout.participants, len(layout.wave)), np.nan)
    outcome[layout.participant_of, layout.wave_of] = layout.natural(layout.outcome)
    return xr.Dataset({"outcome": (("participant", "wave"), outcome)})


def run(likelihood: str = "logit", draws: int = 300, chains: int = 2) -> xr.DataTree:
    """The groups of a run that diagnostics read, made by the product of pinned draws."""
    layout, rng = pinned.layout(likelihood), np.random.default_rng(1)
    posterior = pinned.posterior(layout, draws).isel(chain=slice(chains))
    some, kept, _ = predictive.part(layout, 1)
    thin = predictive.thinned(posterior, some, 200)
    replicates = predictive.replicate(effect, thin, some, 1)
    pointwise = cell_log_probability(effect.predictor(posterior, layout), posterior, layout)
    stats = {"energy": rng.standard_normal((chains, draws)), "diverging": rng.random((chains, draws)) < 0.05}
    return xr.DataTree.from_dict(
        {
            "posterior": posterior,
            "prior": effect.prior(layout, prior_set.load(), 100, 1),
            "log_prior": effect.log_prior(posterior, layout, prior_set.load()),
            "sample_stats": xr.Dataset(
                {name: (("chain", "draw"), value) for name, value in stats.items()},
                {"chain": posterior["chain"], "draw": posterior["draw"]},
            ),
            "posterior_predictive": arviz_groups.posterior_predictive(replicates, thin, some, kept),
            "log_likelihood": arviz_groups.log_likelihood(pointwise, posterior, layout),
            **arviz_groups.data(grid(layout), layout),
        }
    )


VALUES = {"binary": "binary", "count": "count", "continuous": "number"}


@pytest.mark.parametrize("kind", KINDS)
def test_predictions_of_every_kind_are_drawn(kind: str) -> None:
    fit = diagnostic_plots.diagnosed(run(KINDS[kind]), VALUES[kind])
    with diagnostic_plots.drawing():
        assert isinstance(diagnostic_plots.predictive(fit).get_viz("figure"), Figure)
        leaving_out = diagnostic_plots.loo_pit(fit)
        assert not isinstance(leaving_out, str)
        assert leaving_out.get_viz("figure").axes[0].get_xlabel() == "LOO-PIT"
    assert not pyplot.get_fignums(), "a figure was left open"


def test_traits_are_left_out_and_the_worst_mixing_elements_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = run()
    posterior = tree["posterior"].to_dataset()
    sticky = posterior["theta"].copy(data=np.repeat(posterior["theta"].to_numpy()[:, ::50], 50, axis=1))
    still = posterior["tau"] * 0 + 1.0
    tree["posterior"] = xr.DataTree(posterior.assign(theta=sticky, tau=still))
    monkeypatch.setattr(diagnostic_plots, "MOST_SHOWN", 3)
    fit = diagnostic_plots.diagnosed(tree, "binary")
    assert len(fit.names) == 3
    assert set(fit.names[:2]) == {"theta\n[3 months]", "theta\n[6 months]"}
    assert "trait" in posterior
    assert fit.elements == 10, "mu_0, tau, three steps, two effects, a negative control and two covariates"
    assert list(fit.worst["prior"].data_vars) == fit.names
    monkeypatch.setattr(diagnostic_plots, "MOST_SHOWN", 12)
    assert "tau" in diagnostic_plots.diagnosed(run(), "binary").names
    assert "tau" not in diagnostic_plots.diagnosed(tree, "binary").names, "what never varies has no density"


def test_the_likelihoods_that_weigh_replicates_are_those_of_their_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    given = []
    monkeypatch.setattr(diagnostic_plots.arviz, "plot_loo_pit", given.append)
    tree = run()
    diagnostic_plots.loo_pit(diagnostic_plots.diagnosed(tree, "binary"))
    weights, whole = given[0]["log_likelihood"]["outcome"], tree["log_likelihood"]["outcome"]
    assert weights.dims == ("chain", "draw", "observation")
    assert weights.sizes["draw"] == 200
    flat = whole.to_numpy().reshape(600, -1)
    assert np.array_equal(weights.to_numpy()[0], flat[::3])


@pytest.mark.parametrize("lacking", ["large", "some participants"])
def test_without_fitting_likelihoods_loo_pit_is_said_to_be_missing(tmp_path: Path, lacking: str) -> None:
    tree = run()
    if lacking == "large":
        del tree["log_likelihood"]
    else:
        tree["posterior_predictive"] = tree["posterior_predictive"].isel(observation=slice(3, 40))
    fit = diagnostic_plots.diagnosed(tree, "binary")
    with diagnostic_plots.drawing():
        assert diagnostic_plots.loo_pit(fit) == diagnostic_plots.NO_POINTWISE
        assert isinstance(diagnostic_plots.predictive(fit).get_viz("figure"), Figure)


@pytest.mark.slow
def test_one_chain_without_traits_is_drawn_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = run(chains=1)
    tree["posterior"] = xr.DataTree(tree["posterior"].to_dataset().drop_vars(["trait", "tau"]))
    tree["log_prior"] = xr.DataTree(tree["log_prior"].to_dataset().drop_vars("tau"))
    monkeypatch.setattr(diagnostic_plots, "MOST_SHOWN", 3)
    fit = diagnostic_plots.diagnosed(tree, "binary")
    said = dict(diagnostic_plots.draw(fit, tmp_path, "png", "a heading with $ \\frac and {braces}"))
    assert said == dict.fromkeys(diagnostic_plots.PICTURES, "") | {"rank": diagnostic_plots.ONE_CHAIN}
    assert {path.name for path in tmp_path.iterdir()} == {f"{name}.png" for name in said if name != "rank"}
    assert not pyplot.get_fignums()
