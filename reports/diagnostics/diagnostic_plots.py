"""The standard ArviZ diagnostics of one fit, drawn with matplotlib; nothing is sampled."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import arviz
import matplotlib as mpl
import numpy as np
import xarray as xr
from arviz_plots import PlotCollection, PlotMatrix
from matplotlib import pyplot
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

MOST_SHOWN = 12
"""Elements in one picture: those that mix worst. With more, none can be read."""
MOST_PAIRED = 4
"""Of these, how many are drawn against each other."""
MOST_CURVES = 50
"""Replicated trials whose densities are drawn."""
MOST_NUMBERS = 10_000_000
"""Of (replicate, observation) in one picture; fewer replicates beyond."""
NARROWEST, ROW_HEIGHT, HEADING = 7.0, 1.9, 0.8
"""Inches: width of a picture, height of a row in it and of the two lines above."""
MOST_LOG_RATIO = 600.0
"""Between the weights of two draws."""
ONE_CHAIN = "it compares chains, and there is one"
NO_POINTWISE = "the run kept no pointwise log likelihood, or it is of other participants than the replicates"
SAMPLE = ("chain", "draw")


@dataclass(frozen=True)
class Diagnosed:
    """One fit as its pictures need it.

    Attributes
    ----------
    run : DataTree
        All groups of the fit; those over observations are left in the file until they are drawn.
    values : str
        What the outcome may be: "binary", "count" or "number".
    worst : DataTree
        Groups posterior and prior, each element of a top-level parameter a variable of its own, worst-mixing first, and
        sample_stats.
    elements : int
        How many there are in all.
    """

    run: xr.DataTree
    values: str
    worst: xr.DataTree
    elements: int

    @property
    def names(self) -> list[str]:
        """Of the elements that are drawn."""
        return [str(name) for name in self.worst["posterior"].data_vars]


def diagnosed(run: xr.DataTree, values: str) -> Diagnosed:
    """What is drawn of a fit; participants' traits are left out, of which there are as many as participants."""
    posterior, top = run["posterior"].to_dataset(), list(run["log_prior"].data_vars)
    draws = _elements(posterior[top].load())
    varying = {name: values for name, values in draws.items() if np.ptp(values.to_numpy()) > 0}
    effective = {name: float(arviz.ess(values.to_numpy())) for name, values in varying.items()}
    order = sorted(effective, key=lambda name: effective[name])[:MOST_SHOWN]
    prior = _elements(run["prior"].to_dataset()[[name for name in top if name in run["prior"]]].load())
    groups = {
        "posterior": draws[order],
        "prior": prior[[name for name in order if name in prior]],
        "sample_stats": run["sample_stats"].to_dataset().load(),
    }
    return Diagnosed(run, values, xr.DataTree.from_dict(groups), len(draws))


def _elements(draws: xr.Dataset) -> xr.Dataset:
    """Every element of every parameter as a variable of its own, dims (chain, draw), its label on a second line."""
    found = {}
    for name, value in draws.data_vars.items():
        rest = [dim for dim in value.dims if dim not in SAMPLE]
        for place in np.ndindex(*(value.sizes[dim] for dim in rest)):
            part = value[dict(zip(rest, place, strict=True))]
            label = ", ".join(str(part[dim].item()) if dim in part.coords else str(part) for dim in rest)
            found[f"{name}\n[{label}]" if rest else str(name)] = part.drop_vars(rest, errors="ignore")
    return xr.Dataset(found)


def rank(fit: Diagnosed) -> PlotCollection | str:
    """Ranks of each chain's draws among all, thinned until independent; why not, where there is one chain."""
    return ONE_CHAIN if fit.worst["posterior"].sizes["chain"] == 1 else arviz.plot_rank(fit.worst, thin=True)


def trace(fit: Diagnosed) -> PlotCollection:
    """Densities and traces by chain."""
    return arviz.plot_trace_dist(fit.worst, compact=False)


def ess_evolution(fit: Diagnosed) -> PlotCollection:
    """Effective draws as draws are added: they grow in proportion where chains mix."""
    return arviz.plot_ess_evolution(fit.worst)


def energy(fit: Diagnosed) -> PlotCollection:
    """Energy and its changes from draw to draw: where the changes are much narrower, tails are explored slowly."""
    return arviz.plot_energy(fit.worst)


def pair(fit: Diagnosed) -> PlotMatrix:
    """The worst-mixing elements against each other; divergent draws stand out."""
    return arviz.plot_pair(fit.worst, var_names=fit.names[:MOST_PAIRED], visuals={"divergence": True})


def prior_posterior(fit: Diagnosed) -> PlotCollection:
    """What was believed before and after the data."""
    return arviz.plot_prior_posterior(fit.worst, var_names=list(fit.worst["prior"].data_vars))


def predictive(fit: Diagnosed) -> PlotCollection:
    """Replicated outcomes of new participants beside those observed, as the kind of outcome asks for."""
    replicates = fit.run["posterior_predictive"].to_dataset()
    most = max(MOST_CURVES, MOST_NUMBERS // replicates.sizes["observation"])
    observed = fit.run["observed_data"].to_dataset().sel(observation=replicates["observation"])
    step = -(-replicates.sizes["draw"] // (MOST_CURVES if fit.values == "number" else most))
    kept = replicates.isel(draw=slice(None, None, step)).load()
    both = xr.DataTree.from_dict({"posterior_predictive": kept, "observed_data": observed.load()})
    if fit.values == "binary":
        return arviz.plot_ppc_pava(
            both,
            visuals={"xlabel": {"text": "predicted probability"}, "ylabel": {"text": "observed frequency"}},
        )
    if fit.values == "count":
        return arviz.plot_ppc_rootogram(both)
    return arviz.plot_ppc_dist(both, num_samples=kept.sizes["draw"])


def loo_pit(fit: Diagnosed) -> PlotCollection | str:
    """Each outcome's place in the distribution predicted without it; why not, where the run lacks what it takes."""
    replicates = fit.run["posterior_predictive"].to_dataset()
    pointwise = fit.run["log_likelihood"].to_dataset() if "log_likelihood" in fit.run.children else xr.Dataset()
    if pointwise.sizes.get("observation") != replicates.sizes["observation"]:
        return NO_POINTWISE
    # the replicates are of some draws: these have the likelihoods that weigh them
    chain, draw = np.divmod(replicates["draw"].to_numpy(), pointwise.sizes["draw"])
    of_these = pointwise["outcome"].to_numpy()[chain, draw][None].astype(float)
    # ratios of weights beyond floating point stop ArviZ: an outcome that has them has one draw's weight all the same
    of_these = np.maximum(of_these, of_these.max(axis=1, keepdims=True) - MOST_LOG_RATIO)
    groups = {
        "posterior_predictive": replicates.load(),
        "log_likelihood": xr.Dataset({"outcome": replicates["outcome"].copy(data=of_these)}),
        "observed_data": fit.run["observed_data"].to_dataset().load(),
        "posterior": fit.worst["posterior"].to_dataset(),
    }
    return arviz.plot_loo_pit(xr.DataTree.from_dict(groups))


@dataclass(frozen=True)
class Picture:
    """A picture that can be drawn of any fit.

    Attributes
    ----------
    title : str
        What it shows, and how to read it.
    plot : callable
        Draws it, or says why that cannot be.
    """

    title: str
    plot: Callable[[Diagnosed], PlotCollection | PlotMatrix | str]


PICTURES: Mapping[str, Picture] = {
    "rank": Picture("Ranks of each chain's draws among all, as ECDF differences: near 0 where chains agree", rank),
    "trace": Picture("Densities and traces, a colour a chain: alike where chains agree, without drift", trace),
    "ess_evolution": Picture(
        "Effective sample size as draws are added, bulk blue, tail orange: it grows in proportion", ess_evolution
    ),
    "energy": Picture("Energy and its transitions: much narrower transitions explore the tails slowly", energy),
    "pair": Picture("Worst-mixing elements in pairs: divergent draws in another colour, none is best", pair),
    "prior_posterior": Picture("Prior and posterior: what the data changed", prior_posterior),
    "posterior_predictive": Picture("Replicated outcomes of new participants, and those observed", predictive),
    "loo_pit": Picture("LOO-PIT as an ECDF difference: near 0 where predictions are calibrated", loo_pit),
}
"""By the name of their files."""


def draw(fit: Diagnosed, folder: Path, suffix: str, heading: str) -> Iterator[tuple[str, str]]:
    """Draw every picture into a folder, `rank.png` and so on; the same run gives the same bytes.

    Parameters
    ----------
    fit : Diagnosed
        What to draw.
    folder : Path
        An existing folder.
    suffix : str
        "png" or "pdf".
    heading : str
        Stands above every title: which fit, and whether its data are simulated.

    Yields
    ------
    name : str
        Of the picture that is done.
    missing : str
        Why it is not there; empty where it is.
    """
    for name, picture in PICTURES.items():
        with drawing():
            made = picture.plot(fit)
            if not isinstance(made, str):
                figure = _laid_out(made.get_viz("figure"), f"{heading}\n{picture.title}")
                figure.savefig(folder / f"{name}.{suffix}", dpi=110, bbox_inches="tight", metadata=_METADATA[suffix])
        yield name, made if isinstance(made, str) else ""


_METADATA: Mapping[str, dict[str, Any]] = {"png": {"Software": None}, "pdf": {"CreationDate": None}}


def _laid_out(figure: Figure, title: str) -> Figure:
    """Rows high enough for their labels, nothing over anything else, chains counted in whole numbers."""
    grid = next((axes.get_subplotspec() for axes in figure.axes if axes.get_subplotspec()), None)
    rows = grid.get_gridspec().nrows if grid else 1
    width, _ = figure.get_size_inches()
    figure.set_size_inches(max(width, NARROWEST), ROW_HEIGHT * rows + HEADING)
    figure.set_layout_engine("constrained")
    figure.suptitle(title, fontsize="medium")
    for axes in figure.axes:
        if axes.get_ylabel() == "Chain":
            axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


@contextmanager
def drawing() -> Iterator[None]:
    """Matplotlib without a screen, labels of a study as plain text, and no figure left open."""
    backend = mpl.get_backend()
    mpl.use("Agg")
    try:
        with (
            mpl.rc_context({"text.parse_math": False}),
            arviz.rc_context({"plot.backend": "matplotlib"}),
            # weights that overflow or have a large Pareto k are in gate.json with what that means, not amid progress
            np.errstate(over="ignore", divide="ignore", invalid="ignore"),
            warnings.catch_warnings(action="ignore", category=UserWarning),
        ):
            yield
    finally:
        pyplot.close("all")
        mpl.use(backend)
