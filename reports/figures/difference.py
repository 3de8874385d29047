"""The difference at the primary wave: prior and posterior, and the zones that the margin makes."""

from __future__ import annotations

import numpy as np

from reports.figures.axis import bottom, directions
from reports.figures.canvas import NARROW, WIDE, Canvas, Linear, density, measured
from reports.text.estimate import ReportedEstimate
from reports.text.facts import Facts
from reports.text.numbers import MINUS, probability
from reports.text.parts import Figure
from reports.text.words import agreeing

NAME = "difference"


def draw(facts: Facts) -> Figure:
    """Posterior density over the prior's, with the share of the posterior in each zone."""
    estimand, wave = facts.scale.difference, facts.primary
    estimate = facts.estimate(estimand, wave)
    where = {"average": "population", "contrast": wave}
    grid = _grid(facts, estimate)
    posterior = density(facts.draws(estimand, where), grid)
    prior = density(facts.draws(estimand, where, prior=True), grid)
    title = _title(facts, estimate)
    description = _described(facts, estimate)

    def layout(width: float, form: str) -> str:
        return _layout(facts, estimate, grid, posterior, prior, width).svg(NAME, title, description, form)

    rows = tuple((float(x), float(a), float(b)) for x, a, b in zip(grid, posterior, prior, strict=True))
    columns = (estimand, "posterior_density", "prior_density")
    return Figure(NAME, title, description, layout(WIDE, "wide"), layout(NARROW, "narrow"), columns, rows)


def _title(facts: Facts, estimate: ReportedEstimate) -> str:
    """The number, and the probabilities on its side of 0 and of the margin; the side is that of the median."""
    below = estimate.median < 0
    side = 1 - estimate.p_below_zero if not below else estimate.p_below_zero
    beyond = estimate.chance(
        "p_benefit_beyond_margin" if below == facts.lower_is_better else "p_harm_beyond_margin"
    ).text
    median = estimate.number("median").text
    edge = f"{MINUS}{facts.margin.text} or less" if below else f"+{facts.margin.text} or more"
    return (
        f"{facts.scale.difference_name}: {median} {agreeing(median, facts.scale.points)} ({estimate.interval}); "
        f"P {_equals(probability(side).text)} {'below' if below else 'above'} 0, {beyond} at {edge}"
    )


def _grid(facts: Facts, estimate: ReportedEstimate) -> np.ndarray:
    """Wide enough for the posterior, twice the margin and most of the prior."""
    margin = facts.study.outcome.margin
    reach = max(abs(estimate.median) + 4 * estimate.sd, 2 * margin, min(1.6 * estimate.prior_sd, 8 * estimate.sd))
    return np.linspace(-reach, reach, 241)


def _described(facts: Facts, estimate: ReportedEstimate) -> str:
    zones = (
        f"{estimate.chance('p_benefit_beyond_margin').text} better by {facts.margin.text} or more, "
        f"{estimate.chance('p_within_margin').text} within plus or minus {facts.margin.text}, "
        f"{estimate.chance('p_harm_beyond_margin').text} worse by {facts.margin.text} or more"
    )
    return (
        f"Density curves of the difference in {facts.scale.points}, treated minus control. Posterior median "
        f"{estimate.number('median').text}, "
        f"95% interval {estimate.interval}. Prior median {estimate.number('prior_median').text}, 95% interval "
        f"{estimate.prior_interval}. "
        f"Posterior probability by zone: {zones}."
    )


def _layout(
    facts: Facts, estimate: ReportedEstimate, grid: np.ndarray, posterior: np.ndarray, prior: np.ndarray, width: float
) -> Canvas:
    sheet = Canvas(width, 330)
    x = Linear(grid[0], grid[-1], 12, width - 12)
    y = Linear(0, max(posterior.max(), prior.max()) * 1.12, 252, 64)
    _zones(facts, estimate, sheet, x)
    sheet.hill(list(zip(x.many(grid), y.many(prior), strict=True)), y(0), "prior")
    inner = np.linspace(estimate.lower, estimate.upper, 81)
    heights = np.interp(inner, grid, posterior)
    sheet.hill(list(zip(x.many(inner), y.many(heights), strict=True)), y(0), "core")
    sheet.hill(list(zip(x.many(grid), y.many(posterior), strict=True)), y(0), "difference")
    sheet.line(x(0), y(0), x(0), 60, "zero")
    _summary(estimate, sheet, x, y(0))
    _names(sheet, x, y, grid, posterior, prior)
    bottom(sheet, x, y(0), facts.scale.difference_unit, signed=True, about=8 if width > 500 else 6)
    sheet.text(
        width / 2,
        290,
        f"{facts.scale.points}, {facts.arm('treated', 32).text} minus {facts.arm('control', 32).text}",
        "note",
        "middle",
    )
    words = (
        ("lower in the treated arm: better", "higher: worse")
        if facts.lower_is_better
        else ("lower in the treated arm: worse", "higher: better")
    )
    directions(sheet, x, 310, words)
    return sheet


def _zones(facts: Facts, estimate: ReportedEstimate, sheet: Canvas, x: Linear) -> None:
    """Margin band and, above each zone, the posterior probability that lies in it."""
    margin = facts.study.outcome.margin
    left, right = x(-margin), x(margin)
    sheet.rect(left, 60, right - left, 192, "band")
    for edge in (left, right):
        sheet.line(edge, 60, edge, 252, "edge")
    fields = ("p_benefit_beyond_margin", "p_within_margin", "p_harm_beyond_margin")
    if not facts.lower_is_better:
        fields = fields[::-1]
    text = f"{facts.margin.text} or more"
    middle = f"within ±{facts.margin.text}"
    lower, higher = (
        (f"lower by {text}", f"higher by {text}")
        if sheet.width > 500
        else (f"≤ −{facts.margin.text}", f"≥ +{facts.margin.text}")
    )
    places = ((x.start + left) / 2, (left + right) / 2, (right + x.end) / 2)
    for place, field, label in zip(places, fields, (lower, middle, higher), strict=True):
        sheet.text(place, 24, f"P {_equals(estimate.chance(field).text)}", "strong", "middle")
        sheet.text(place, 44, label, "note", "middle")


def _equals(text: str) -> str:
    return text if text[0] in "<>" else f"= {text}"


def _summary(estimate: ReportedEstimate, sheet: Canvas, x: Linear, base: float) -> None:
    """Median and interval as a mark on the axis."""
    sheet.line(x(estimate.lower), base - 7, x(estimate.upper), base - 7, "difference-range")
    sheet.marker("diamond", x(estimate.median), base - 7, 9, "difference-mark")


def _names(sheet: Canvas, x: Linear, y: Linear, grid: np.ndarray, posterior: np.ndarray, prior: np.ndarray) -> None:
    """Write each curve's name beside it, where there is room."""
    peak = int(posterior.argmax())
    side = int(np.argmin(np.abs(posterior[peak:] - posterior.max() * 0.62))) + peak
    sheet.text(x(grid[side]) + 8, y(posterior[side]), "posterior", "end halo difference-text")
    width = measured("prior")
    place = int(np.argmin(np.abs(np.array(x.many(grid)) - (x.end - width))))
    sheet.text(x(grid[place]), y(prior[place]) - 9, "prior", "end prior-text", "middle")
