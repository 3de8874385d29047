"""From expected outcomes in each arm to what a reader asks: risks, differences, ratios, changes, with their claims."""

from __future__ import annotations

import xarray as xr

from models.estimands import ledger
from models.estimands.ledger import Claim, Estimate, Evidence
from models.trial.study_file.study import ARMS, Study

POPULATION = "population"


def names(study: Study) -> dict[str, tuple[str, str, str]]:
    """Name, label and unit of each kind of estimand for this study's outcome."""
    return dict(study.outcome.family.estimands)


def contrasts(response: xr.DataArray, study: Study) -> xr.Dataset:
    """Every estimand at every draw, from the two expected outcomes alone.

    Parameters
    ----------
    response : DataArray, (chain, draw, average, arm, wave)
        From a model's `response`.
    study : Study
        Its outcome's kind names the estimands.

    Returns
    -------
    Dataset
        `risk` (…, average, arm, wave); `risk_difference`, `risk_ratio`, `odds_ratio` (…, average, contrast), where
        contrast is every wave after baseline; `change` (…, arm, contrast), population average, if there is a baseline.
        For counts `mean`, `mean_difference`, `rate_ratio`, `change`; for continuous outcomes these without the ratio.
    """
    named = {kind: name for kind, (name, _, _) in names(study).items()}
    baseline = [wave.value for wave in study.waves if wave.role == "baseline"]
    later = response.sel(wave=[wave.value for wave in study.waves if wave.role != "baseline"]).rename(wave="contrast")
    treated, control = later.sel(arm="treated", drop=True), later.sel(arm="control", drop=True)
    found = {named["mean"]: response, named["difference"]: treated - control}
    if "ratio" in named:
        found[named["ratio"]] = treated / control
    if "odds_ratio" in named:
        found[named["odds_ratio"]] = _odds(treated) / _odds(control)
    if baseline:
        before = response.sel(wave=baseline[0], average=POPULATION, drop=True)
        found[named["change"]] = later.sel(average=POPULATION, drop=True) - before
    return xr.Dataset(found)


def _odds(risk: xr.DataArray) -> xr.DataArray:
    """Odds of a risk that is kept off 0 and 1 by what a double can tell from 1: a probit's tail reaches both."""
    inside = risk.clip(2.0**-53, 1 - 2.0**-53)
    return inside / (1 - inside)


def primary_difference(levels: xr.DataArray, study: Study) -> xr.DataArray:
    """Draws of the difference that answers the study's question, (chain, draw), from a model's `response`."""
    difference = contrasts(levels, study)[names(study)["difference"][0]]
    return difference.sel(average=POPULATION, contrast=study.primary_wave)


def estimates(draws: xr.Dataset, study: Study, trial: xr.Dataset) -> list[Estimate]:
    """Every estimand as an `Estimate`, and the ones that this design cannot identify, with the reason.

    Parameters
    ----------
    draws : Dataset
        From `contrasts`.
    study, trial : Study, Dataset
        The trial decides, wave by wave, whether MAR is needed: it is wherever an outcome is missing; and whether there
        is a number at all: there is none where an arm that it needs was not observed, and the prior alone would speak.
    """
    found = []
    for kind, (name, label, unit) in names(study).items():
        if name not in draws:
            continue
        cells = draws[name].stack(cell=[dim for dim in draws[name].dims if dim not in ("chain", "draw")])
        for place in range(cells.sizes["cell"]):
            cell = cells.isel(cell=place)
            where = {str(dim): str(cell[dim].item()) for dim in cells.indexes["cell"].names}
            average, wave = where.get("average", POPULATION), where.get("contrast", where.get("wave", ""))
            identity = name, label, unit, average, where.get("arm", ""), wave
            if reason := unobserved(study, trial, wave, where.get("arm", "")):
                found.append(Estimate(*identity, ledger.UNOBSERVED, reason=reason))
                continue
            needed = [wave] + [each.value for each in study.waves if each.role == "baseline" and kind == "change"]
            lacking = any(missing(study, trial, each) for each in needed)
            claim = _claim(kind, average, lacking, ledger.Setting.of(study))
            values = cell.drop_vars([*where, "cell"]).transpose("chain", "draw")
            found.append(Estimate(*identity, claim, values))
    return [*found, *_not_identified(study)]


def missing(study: Study, trial: xr.Dataset, wave: str = "") -> bool:
    """Whether an outcome is missing, at one wave or at any, of those in the file or randomised but not in it."""
    outcome = trial["outcome"].sel(wave=wave) if wave else trial["outcome"]
    return bool(outcome.isnull().any()) or lost(study, trial)


def lost(study: Study, trial: xr.Dataset) -> bool:
    """Whether more were randomised than the file has."""
    stated = sum(arm.randomised or 0 for arm in (study.arms.control, study.arms.treated))
    return stated > trial.sizes["participant"]


def unobserved(study: Study, trial: xr.Dataset, wave: str, arm: str = "") -> str:
    """Why an estimand of a wave, and of one arm or both, is not identified: nobody was observed; empty where it is.

    At a baseline that the arms share, either tells of both.
    """
    seen = trial["outcome"].sel(wave=wave).notnull()
    found = {name: bool(seen[trial["arm"] == code].any()) for code, name in enumerate(ARMS)}
    role = next(each.role for each in study.waves if each.value == wave)
    if role == "baseline" and not study.recruited_after:
        found = dict.fromkeys(found, any(found.values()))
    lacking = [getattr(study.arms, name).label for name, there in found.items() if not there and arm in ("", name)]
    if not lacking:
        return ""
    whose = "in either arm" if len(lacking) == 2 or role == "baseline" else f"in the arm “{lacking[0]}”"
    label = next(each.label for each in study.waves if each.value == wave)
    return f"No outcome was observed {whose} at the wave “{label}”: the prior alone would speak."


def _claim(kind: str, average: str, missing: bool, setting: ledger.Setting) -> Claim:
    if kind == "change":
        return ledger.change(missing)
    return (ledger.conditional if average == "typical" else ledger.randomised)(missing, setting)


def _not_identified(study: Study) -> list[Estimate]:
    control, treated = study.arms.control.label, study.arms.treated.label
    sum_of = (
        "only the sum of its effect, changes with calendar time, regression to the mean, repeated measurement and "
        "changes in how the outcome is recorded enters the likelihood."
    )
    selected = "Who is selected may differ between the arms, so that the comparison is no longer randomised."
    rows = [("effect_in_selected", "effect among participants selected by what happened after randomisation", selected)]
    if study.add_on:
        rows.insert(0, ("effect_of_common_part", f"effect of {control} itself", f"Both arms received it: {sum_of}"))
        alone = f"The addition was never given without {control}."
        rows.insert(1, ("effect_of_addition_alone", f"effect of what {treated} adds, without {control}", alone))
    else:
        untreated = f"No arm was without any condition: {sum_of}"
        rows.insert(0, ("effect_of_common_part", f"effect of {control} against nothing", untreated))
    claim = Claim(Evidence.NOT_IDENTIFIED, ("none would suffice in this design",))
    return [Estimate(name, label, "", POPULATION, "", "", claim, reason=reason) for name, label, reason in rows]
