"""Whether the arms were alike before the programme: what randomisation promises, and a wrong role of a wave breaks."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import xarray as xr
from scipy import stats

from models.trial import covariates
from models.trial.data_check.finding import Finding
from models.trial.standard import amounts
from models.trial.study_file.study import Study

CHANCE = 0.001
"""Of the primary outcome, and of all other variables together: in how many correct trials a difference is found."""


def differences(study: Study, trial: xr.Dataset) -> Iterator[Finding]:
    """Variables at which the arms differ at baseline more than chance allows.

    Yields
    ------
    Finding
        One a variable.
    """
    arm, first = trial["arm"].to_numpy(), study.waves[0]
    together = study.randomised_in_groups
    group = trial["group"].sel(grouping=together.column).to_numpy() if together else None
    known = covariates.columns(study, trial)[0]
    measured = _measured(study, trial) if first.role == "baseline" else []
    described = list(_described(study, trial))
    tested = [
        (f"{label}: at the wave {first.label!r}", values, _p_value(values, arm, known, group))
        for label, values in measured
    ]
    tested += [(f"{label}:", values, _p_value(values, arm, group=group)) for label, values in described]
    asked = "and was each participant randomised individually"
    if together:
        asked = 'and had participants been recruited when their groups were randomised (if not: recruited = "after")'
    for place, (what, values, p) in enumerate(tested):
        others = len(tested) - bool(measured)
        if p < (CHANCE if measured and not place else CHANCE / others):
            yield Finding(
                "baseline difference",
                f"{what} the arms differ more than chance allows ({_means(values, arm, study)}P = {p:.1g}). Was it "
                f"really measured before the programme could act, {asked}?",
                "amber",
            )


def _means(values: np.ndarray, arm: np.ndarray, study: Study) -> str:
    """Of each arm; not where small cells could be worked out from shares."""
    if study.privacy.minimum_cell and np.unique(values[~np.isnan(values)]).size <= 2:
        return ""
    control, treated = (float(np.nanmean(values[arm == code])) for code in (0, 1))
    return f"mean {treated:.3g} in {study.arms.treated.label!r}, {control:.3g} in {study.arms.control.label!r}; "


def _measured(study: Study, trial: xr.Dataset) -> list[tuple[str, np.ndarray]]:
    """What was measured at the first wave, the primary outcome first."""
    first = trial.isel(wave=0)
    counted = [first["outcome"].to_numpy(), *first["further_outcome"].to_numpy()]
    rates = [each / amounts(part, first) for part, each in zip(study.outcomes, counted, strict=True)]
    values = [*rates, *first["mediator_value"].to_numpy()]
    return [(part.label, each) for part, each in zip(study.varying, values, strict=True)]


def _described(study: Study, trial: xr.Dataset) -> Iterator[tuple[str, np.ndarray]]:
    """Covariates; of a categorical one whether each level is the participant's."""
    levels = json.loads(trial.attrs["levels"])
    for covariate, values in zip(study.covariates, trial["covariate_value"].to_numpy().T, strict=True):
        names = levels.get(covariate.column)
        if names is None:
            yield covariate.label, values
        for code, name in enumerate(names or ()):
            yield f"{covariate.label}: {name}", np.where(np.isnan(values), np.nan, values == code)


def _p_value(
    values: np.ndarray, arm: np.ndarray, known: np.ndarray | None = None, group: np.ndarray | None = None
) -> float:
    """Of no difference: Fisher's exact test where there are two values, else a rank-sum test.

    Where groups were randomised it is Welch's test of their means.

    Its ranks are those of the residuals from a regression on what is known of participants besides, which the arm
    cannot have moved: the test stays right whatever the regression, and sees smaller differences.
    """
    seen = ~np.isnan(values)
    if group is not None:
        return _of_groups(values[seen], arm[seen], group[seen])
    arm, values = arm[seen], values[seen]
    if min((arm == 0).sum(), (arm == 1).sum()) < 2 or np.ptp(values) == 0:
        return 1.0
    if np.unique(values).size == 2:
        table = [[int((values[arm == code] == values.max()).sum()), int((arm == code).sum())] for code in (0, 1)]
        return float(stats.fisher_exact([[high, total - high] for high, total in table])[1])
    if known is not None and 0 < 10 * known.shape[1] <= values.size:
        matrix = np.column_stack([np.ones(values.size), known[seen]])
        values = values - matrix @ np.linalg.lstsq(matrix, values, rcond=None)[0]
    return float(stats.mannwhitneyu(values[arm == 0], values[arm == 1]).pvalue)


def _of_groups(values: np.ndarray, arm: np.ndarray, group: np.ndarray) -> float:
    """Welch's test of the groups' means."""
    _, first, place = np.unique(group, return_index=True, return_inverse=True)
    means, arms = np.bincount(place, values) / np.bincount(place), arm[first]
    if min((arms == 0).sum(), (arms == 1).sum()) < 2 or np.ptp(means) == 0:
        return 1.0
    return float(stats.ttest_ind(means[arms == 1], means[arms == 0], equal_var=False).pvalue)
