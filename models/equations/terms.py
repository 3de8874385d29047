"""Wave levels, arm effects and covariate scores of any equation, from its parameters by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from models.equations import predictors

if TYPE_CHECKING:
    from models.design.layout import Design


def wave_terms(values: Mapping[str, Any], design: Design) -> tuple[Any, Any]:
    """Level and arm effect of the outcome at every wave, both (..., wave), from PyTensor or NumPy values.

    Parameters
    ----------
    values : mapping of str to array
        Parameters by name; any leading axes, waves last.
    design : Design
        Which wave plays which role.
    """
    level = values["mu_0"][..., None]
    if "step" in values:
        level = predictors.wave_level(level, values["step"], design.cumulation)
    effect = predictors.wave_effect(values["theta"], design.placement("follow-up"))
    if "theta_negative_control" in values:
        before = values["theta_negative_control"]
        effect = effect + predictors.wave_effect(before, design.placement("negative control"))
    return level, effect


def mediator_terms(values: Mapping[str, Any], design: Design) -> tuple[Any, Any]:
    """Level and arm effect of every mediator, both (..., mediator, 1 + wave), from PyTensor or NumPy values.

    The first column is the time before the first wave, with a mediator's level at the first wave and no arm effect.
    At a wave at which nobody's value was observed it keeps the level of the wave before (before the first measured one:
    that one's), and no arm effect either: a step or an effect there could not be told from others (MODEL.md).
    """
    layout = design.mediators
    level = values["mediator_mu_0"][..., None] + np.zeros((layout.count, 1 + len(design.wave)))
    if "mediator_step" in values:
        level = level + predictors.combination(values["mediator_step"], layout.steps_seen)
    effect = 0.0 * level
    for name, role in (("theta", "follow-up"), ("theta_negative_control", "negative control")):
        if f"mediator_{name}" in values:
            waves = np.pad(design.placement(role), ((0, 0), (1, 0)))
            effect = effect + predictors.wave_effect(values[f"mediator_{name}"], waves) * layout.seen_at
    return level, effect


def spread_terms(values: Mapping[str, Any], design: Design) -> tuple[Any, Any]:
    """Outcome's spread, half-way between the arms, and the log ratio of theirs at every wave, both (..., wave).

    From PyTensor or NumPy values. The ratio is 0 at waves that are no follow-ups, and of a kind of outcome with one
    spread; both are 0 where the mean decides the spread.
    """
    family, none = design.family, np.zeros(len(design.wave))
    if not family.spread_ratio:
        return (values[family.spread][..., None] + none if family.spread else none), none
    if family.spread_ratio not in values:
        return values[family.spread], none
    return values[family.spread], predictors.wave_effect(values[family.spread_ratio], design.placement("follow-up"))


def dispersions(values: Mapping[str, Any], design: Design, arm: Any, wave: Any) -> Any:
    """Spread of outcomes in cells of these arms and waves, which broadcast, (..., cell); PyTensor or NumPy."""
    if not design.family.spread:
        return np.zeros(1)
    spread, log_ratio = spread_terms(values, design)
    found = spread[..., wave]
    return found * np.e ** (arm * log_ratio[..., wave]) if design.family.spread_ratio in values else found


def score(values: Mapping[str, np.ndarray], covariates: np.ndarray, equation: str = "") -> np.ndarray:
    """Weighted covariates of each row of `covariates`, shape (..., row); 0 where nothing is adjusted for."""
    if not covariates.shape[1]:
        return np.zeros((*values[f"{equation}mu_0"].shape, covariates.shape[0]))
    return predictors.covariate_score(values[f"{equation}gamma"], covariates.T)


def wave_dimensions(design: Design, equation: str = "", first: tuple[str, ...] = ()) -> dict[str, tuple[str, ...]]:
    """Parameters of the terms above and their dimensions, `first` before those of waves and covariates."""
    sizes = {
        "mu_0": ((), True),
        "step": (("step_to",), len(design.wave) > 1),
        "theta": (("follow_up",), bool(design.follow_up)),
        "theta_negative_control": (("negative_control",), bool(design.negative_control)),
        "gamma": (("covariate",), bool(design.covariate)),
    }
    return {f"{equation}{name}": (*first, *dims) for name, (dims, present) in sizes.items() if present}


def spread_dimensions(design: Design) -> dict[str, tuple[str, ...]]:
    """Parameters of the outcome's spread and their dimensions."""
    family = design.family
    if not family.spread_ratio:
        return {family.spread: ()} if family.spread else {}
    found: dict[str, tuple[str, ...]] = {family.spread: ("wave",)}
    by_arm = design.follow_up and design.spread_by_arm
    return found | ({family.spread_ratio: ("follow_up",)} if by_arm else {})


def wave_coordinates(design: Design) -> dict[str, list[str]]:
    """Labels of the dimensions above."""
    return {
        "wave": list(design.wave),
        "step_to": list(design.wave[1:]),
        "follow_up": list(design.follow_up),
        "negative_control": list(design.negative_control),
        "covariate": list(design.covariate),
    }
