"""Sample a model's posterior with NUTS (nutpie), with progress that a person or a log can follow."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import nutpie
import pymc as pm
import pytensor
import xarray as xr
from pytensor.graph.traversal import ancestors

from models.design.layout import Design
from models.equations.model import Model
from models.equations.random_variables import PRIOR_NUMBERS, STANDARD, built_in, prior_numbers
from models.faults import SamplerFailed
from priors.prior_set import PriorSet

# with it the same code, compiled now or loaded from the cache, rounds differently, and draws part (it buys no time)
pytensor.config.numba__fastmath = False

Progress = Callable[[int, int, int], None]
"""Called now and then with (draws done, draws in all, divergences so far)."""
Say = Callable[[str], None]
"""Called with each step that begins."""
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Sampler:
    """Settings of the sampler; every one is written down with the run.

    Attributes
    ----------
    draws, tune : int
        Kept and discarded iterations a chain.
    chains : int
        Independent chains, run on as many cores as there are.
    seed : int
        The same seed gives the same draws on the same machine.
    target_accept : float
        Mean acceptance that step-size adaptation aims at.
    """

    draws: int = 2000
    tune: int = 1000
    chains: int = 4
    seed: int = 0
    target_accept: float = 0.9

    def as_dict(self) -> dict[str, Any]:
        """Settings with the sampler's name, for the manifest."""
        return {"name": f"nutpie {nutpie.__version__}, NUTS, diagonal adaptation", **asdict(self)}


def compile_model(model: pm.Model, once: bool = False) -> Any:
    """Compile the log density of a PyMC model.

    Parameters
    ----------
    model : pm.Model
        From a model's `to_fit`.
    once : bool
        Whether it is for these data alone. Data that may be replaced cost Numba half a second an array (measured:
        effect model 4.9 s of compilation in place of 1.5).
    """
    return nutpie.compile_pymc_model(model, freeze_model=once, initial_points=_starts(model))


def _starts(model: pm.Model) -> dict[str, np.ndarray]:
    """Around which values chains begin, for variables whose distribution holds data.

    By default it would be their mean given the data of the trial that was compiled, whichever trial is fitted: draws
    would depend on what a process did before. Shares begin at ½, all others at 0.
    """
    known = {value for value in model.data_vars if value.name != PRIOR_NUMBERS}
    held = [variable for variable in model.free_RVs if known & set(ancestors(variable.owner.inputs))]
    return {
        variable.name: np.full(
            variable.shape.eval(mode="FAST_COMPILE"), 0.5 if isinstance(variable.owner.op, pm.Beta.rv_type) else 0.0
        )
        for variable in held
    }


KEPT = 16
"""Compiled models that are kept at most: trials of another size have a shape of their own."""


class Compiled:
    """Models compiled so far: fits of one shape, to other data or under other priors, share a compilation.

    A model whose likelihood is ready as it is (`Computation.ready`) is not compiled, and needs no keeping.
    """

    def __init__(self) -> None:
        self._known: dict[tuple, Any] = {}

    def model(self, model: Model, design: Design, priors: PriorSet) -> Any:
        """A compiled model for a design and priors, kept for refits."""
        ready = model.likelihood.ready(model, design, priors)
        if ready is not None:
            return ready
        key = _shape(model, design, priors)
        if key not in self._known:
            if len(self._known) == KEPT:
                del self._known[next(iter(self._known))]
            self._known[key] = compile_model(model.to_fit(design, priors))
        numbers = prior_numbers(priors, model.dimensions(design))
        return self._known[key].with_data(**model.given(design), **{PRIOR_NUMBERS: numbers})

    def refit(self, model: Model, design: Design, priors: PriorSet) -> Any:
        """The same for a refit: where nothing of this shape is kept, compiled for it alone, which is faster."""
        ready = model.likelihood.ready(model, design, priors)
        if ready is not None:
            return ready
        if _shape(model, design, priors) in self._known:
            return self.model(model, design, priors)
        return compile_model(model.to_fit(design, priors), once=True)


def _shape(model: Model, design: Design, priors: PriorSet) -> tuple:
    """What a compiled model cannot be given anew."""
    return (*model.shape(design), *built_in(priors, model.dimensions(design)))


def sample(compiled: Any, sampler: Sampler, progress: Progress | None = None, cores: int | None = None) -> xr.DataTree:
    """Run NUTS.

    Parameters
    ----------
    compiled : object
        From `compile_model` or `Compiled`.
    sampler : Sampler
        Its settings.
    progress : callable, optional
        Called about ten times a second while sampling.
    cores : int, optional
        Chains run at a time; default as many as there are processors. The draws do not depend on it.

    Returns
    -------
    DataTree
        Groups posterior and sample_stats, dims (chain, draw, …).

    Raises
    ------
    SamplerFailed
        If no chain could start, or the draws are not finite.
    KeyboardInterrupt
        Passed on after the chains have been stopped.
    """
    latest: list[Any] = []
    running = nutpie.sample(
        compiled,
        draws=sampler.draws,
        tune=sampler.tune,
        chains=sampler.chains,
        seed=sampler.seed,
        cores=cores or min(sampler.chains, os.cpu_count() or 1),
        target_accept=sampler.target_accept,
        save_warmup=False,
        progress_bar=False,
        progress_callback=latest.append if progress else None,
        blocking=False,
    )
    try:
        raw = _wait(running, progress, latest)
    except KeyboardInterrupt:
        running.cancel()
        raise
    except (RuntimeError, ValueError) as error:
        raise SamplerFailed(f"The sampler stopped: {error}") from error
    return _tidy(raw, sampler)


def _wait(running: Any, progress: Progress | None, latest: list[Any]) -> xr.DataTree:
    while True:
        try:
            return running.wait(timeout=POLL_SECONDS)
        except TimeoutError:
            if progress and latest:
                _report(progress, latest[-1])
                latest[:-1] = []


def _report(progress: Progress, chains: list[Any]) -> None:
    done = sum(chain.finished_draws for chain in chains)
    progress(done, sum(chain.total_draws for chain in chains), sum(chain.divergences for chain in chains))


KEPT_STATISTICS = (
    "diverging",
    "energy",
    "depth",
    "maxdepth_reached",
    "n_steps",
    "step_size",
    "mean_tree_accept",
    "logp",
)


def _tidy(raw: xr.DataTree, sampler: Sampler) -> xr.DataTree:
    posterior = raw["posterior"].to_dataset()
    posterior = posterior.drop_vars([name for name in posterior if str(name).endswith(STANDARD)])
    if posterior.sizes["draw"] != sampler.draws or posterior.sizes["chain"] != sampler.chains:
        raise SamplerFailed(f"The sampler returned {dict(posterior.sizes)} in place of what was asked for.")
    stats = raw["sample_stats"].to_dataset()
    stats = stats[[name for name in KEPT_STATISTICS if name in stats]]
    # draws are numbered, times and tool versions live in the manifest: the same run gives the same bytes
    groups = {"posterior": posterior, "sample_stats": stats}
    return xr.DataTree.from_dict({name: _without_attributes(group) for name, group in groups.items()})


def _without_attributes(group: xr.Dataset) -> xr.Dataset:
    group = group.copy()
    group.attrs = {}
    for name in group.variables:
        group[name].attrs = {}
        if group[name].dtype == np.uint64:
            group[name] = group[name].astype("int64")
    return group
