"""Sample a model's posterior with NUTS (nutpie), with progress that a person or a log can follow."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import nutpie
import xarray as xr
from nutpie.compile_pymc import CompiledPyMCModel
from nutpie.sample import CompiledModel

from models.equations.kernels.by_address import at_address, c_copy
from models.equations.ready import Ready
from models.faults import SamplerFailed

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


def sample(
    ready: Ready | CompiledModel, sampler: Sampler, progress: Progress | None = None, cores: int | None = None
) -> xr.DataTree:
    """Run NUTS.

    Parameters
    ----------
    ready : Ready or CompiledModel
        From `Model.ready`, or what nutpie makes of a PyMC model.
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
    kernel = ready if isinstance(ready, Ready) else None
    running = nutpie.sample(
        _compiled(kernel) if kernel else ready,
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
    posterior = raw["posterior"].to_dataset()
    if posterior.sizes["draw"] != sampler.draws or posterior.sizes["chain"] != sampler.chains:
        raise SamplerFailed(f"The sampler returned {dict(posterior.sizes)} in place of what was asked for.")
    if kernel:
        posterior = kernel.named(posterior[POINT].to_numpy())
    return _tidy(posterior, raw["sample_stats"].to_dataset())


POINT = "point"
"""By which nutpie keeps a point; `Ready.named` says what it means."""


def _compiled(ready: Ready) -> CompiledPyMCModel:
    """A kernel's C function where nutpie would have one compiled of a PyMC model: no step waits for Python."""
    size, middle = ready.middle.size, ready.middle
    return CompiledPyMCModel(
        compiled_logp_func=ready.density,
        compiled_expand_func=c_copy(),
        initial_point_func=lambda seed: middle + np.random.default_rng(seed).uniform(-1.0, 1.0, size),
        user_data=at_address(ready.trial),
        logp_func=ready.trial,  # nutpie does not call it: the arrays that `user_data` points at live as long as this
        expand_func=None,
        n_expanded=size,
        shape_info=([POINT], [slice(0, size)], [(size,)]),
        dims={},
        shared_data={},
        shared_var_keys={},
        reparameterized_names=[],
        _n_dim=size,
        _shapes={POINT: (size,)},
        _coords={},
    )


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


def _tidy(posterior: xr.Dataset, stats: xr.Dataset) -> xr.DataTree:
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
