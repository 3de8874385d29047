"""The page on a calibration study: does the method find the truth; sentences, curves and tables from its files."""

from __future__ import annotations

from pathlib import Path

from models.calibration.uniformity import COVERAGE, curve
from reports import calibration_file, calibration_tables, simulations
from reports.calibration_file import LEVEL, NULL, PRIOR, SHARE, TRUTH, Calibration, Row, expected, most_excluding
from reports.figures import calibration_ranks, coverage
from reports.numbers import INTERVAL, Number, fixed, show
from reports.parts import Label, Section, Sentence, joined, sentence
from reports.simulations import built, whole
from reports.words import agreeing, capital, count

SETTINGS, SUMMARY, REPLICATIONS = "calibration.json", "calibration.csv", "replications.csv"
ONE_IN = Number(20, "20")
READ_RANKS = (
    "A true value is drawn from the prior, a trial is simulated from it and analysed; its rank is the number of "
    "posterior draws below it. If model, sampler and code agree, every rank is equally likely (simulation-based "
    "calibration). Each panel shows the share of ranks at most so large, minus the share expected. A curve above "
    "0 on the left and below it on the right: posteriors are too narrow. The reverse: too wide. All above 0: true"
    " values lie below their posteriors; all below: above them.",
    "The band holds the whole curve of uniform ranks in 95% of studies of this size; its coverage is computed "
    "exactly (Säilynoja, Bürkner & Vehtari 2022). One quantity in 20 is expected outside when all is right, and "
    "quantities of one fit are not independent of each other.",
)
READ_COVERAGE = (
    "An interval of 95% is right on average over truths drawn from the prior: there 19 of 20 methods that are "
    "right lie in the band. At one fixed truth it need not hold in 95% of trials: the prior draws estimates "
    "towards what it holds credible, so that intervals hold a truth near its centre more often, and one far from "
    "it less often.",
)
READ_TABLES = (
    "Bias: mean of the posterior means minus the true values. RMSE: root mean square error of the posterior mean."
    " Width: of the 95% interval, mean over trials. Leaves 0 out: with an effect, the power of the rule that asks"
    " for it; without, its rate of false alarms. Wrong side of 0: the interval leaves 0 out and has the other "
    "sign than the truth. In brackets the Monte Carlo standard error. The unit stands under each quantity.",
)


def build(folder: Path) -> Path:
    """Write `report.html`, `tables/*.csv`, `figures/*.csv` and `figures/*.svg` into a calibration study's folder.

    Parameters
    ----------
    folder : Path
        Holds `calibration.json`, `calibration.csv` and `replications.csv`; equal files give equal bytes.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    InvalidInput
        If one of the three is missing or holds what it may not.
    reports.page.FigureFailed
        If a part of the page cannot be made.
    OSError
        If the folder cannot be written; an earlier page stays as it was.
    """
    study = calibration_file.read(folder / SETTINGS, folder / SUMMARY)
    ranks, fits, diverging = calibration_file.ranks(folder / REPLICATIONS)
    labels = {row.quantity: row.label for row in study.of(PRIOR)}
    panels = calibration_ranks.panels({key: curve(one.rank, one.ranks) for key, one in ranks.items()}, labels)
    sections = [
        built("the answer", lambda: _answer(study, panels, (fits, diverging))),
        *([built("the ranks", lambda: _ranks(study, panels))] if panels else []),
        built("coverage", lambda: _coverage(study)),
        built("the tables", lambda: _tables(study)),
        built("the settings", lambda: _again(study)),
    ]
    numbered = simulations.numbered(sections)
    people = count(int(study.about["participants"]), "participant")
    standfirst = f"Would the {study.text('model')} model find the truth in a trial of {people}?"
    return simulations.write(folder, "Calibration study", study.text("title", 400), standfirst, numbered, study.about)


def _answer(study: Calibration, panels: list[calibration_ranks.Panel], fits: tuple[int, int]) -> Section:
    prior, truth, null = (study.find(kind, study.main) for kind in (PRIOR, TRUTH, NULL))
    told = {"asked": asked(study), "fits": _fits(study, *fits)}
    found: dict[str, Sentence] = {}
    if prior:
        found["coverage"] = held(prior)
    if panels:
        found["ranks"] = inside(sum(panel.curve.inside for panel in panels), len(panels))
    if truth:
        found["truth"] = at_the_truth(truth)
    if null:
        found["null"] = under_no_effect(null)
    return Section(0, "Does the method find the truth?", "", sentences=found | told, values={"answer": True})


def asked(study: Calibration) -> Sentence:
    """What was simulated and how often."""
    words = {
        PRIOR: "{prior} with true values drawn from the prior",
        TRUTH: "{truth} with the scenario’s own",
        NULL: "{null} with the scenario’s own but no effect of the arm",
    }
    there = [kind for kind in words if study.asked(kind)]
    template = (
        "Trials of {participants} participants and {waves} waves were simulated from scenario {scenario} and each was "
        "analysed with the {model} model and the priors {priors}: " + "; ".join(words[kind] for kind in there) + "."
    )
    return sentence(
        template,
        participants=whole(int(study.about["participants"])),
        waves=whole(int(study.about["waves"])),
        scenario=Label(study.text("scenario")),
        model=Label(study.text("model")),
        priors=Label(study.text("priors").replace("_", " ")),
        **{kind: whole(study.asked(kind)) for kind in there},
    )


def _fits(study: Calibration, fits: int, diverging: int) -> Sentence:
    failed = int(study.about["failed"])
    lost = (
        sentence("{failed} of the fits failed; they are in no number here.", failed=whole(failed))
        if failed
        else sentence("No fit failed.")
    )
    told = sentence(
        "Of {fits} fits, the sampler reported a divergent transition in {diverging}.",
        fits=whole(fits),
        diverging=whole(diverging),
    )
    return joined(lost, told)


def held(row: Row) -> Sentence:
    """Coverage with truths from the prior beside what is expected of intervals that are right."""
    low, high = expected(row.replications)
    return sentence(
        "For {quantity}, the {interval} interval held the true value in {share} of {trials} trials with true values "
        "drawn from the prior (Monte Carlo standard error {error} points). Right intervals hold it in {low} to {high} "
        "of trials in {sure} of {sets} such studies.",
        interval=INTERVAL,
        quantity=Label(row.label),
        share=row.number("coverage"),
        trials=whole(row.replications),
        error=points(row["coverage_mcse"]),
        low=show(low, SHARE),
        high=show(high, SHARE),
        sure=Number(19, "19"),
        sets=ONE_IN,
    )


def inside(held: int, of: int) -> Sentence:
    """How many quantities have uniform ranks, and how many would by chance not."""
    return sentence(
        "{held} of {of} quantities have ranks inside their simultaneous {band} band; where all is right, {out} are "
        "expected outside.",
        held=whole(held),
        of=whole(of),
        band=Number(COVERAGE, f"{100 * COVERAGE:.0f}%"),
        out=Number(of * (1 - COVERAGE), fixed(of * (1 - COVERAGE), 1)),
    )


def at_the_truth(row: Row) -> Sentence:
    """Bias, coverage and power at the scenario's own truth."""
    first = sentence(
        "At the scenario’s own truth, {truth} {unit}, the mean error of the posterior mean was {bias} (Monte Carlo "
        "standard error {error}); the interval held the truth in {share} of {trials} trials",
        truth=row.number("truth"),
        unit=agreeing(row.number("truth").text, row.shown.name),
        bias=row.number("bias"),
        error=show(row["bias_mcse"], row.shown, row.digits),
        share=row.number("coverage"),
        trials=whole(row.replications),
    )
    if not (row.has("excludes_0") and row.has("sign_error")):
        return _ended(first, sentence("."))
    rest = ", left 0 out in {power}, and lay on the wrong side of 0 in {wrong}."
    return _ended(first, sentence(rest, power=row.number("excludes_0"), wrong=row.number("sign_error")))


def under_no_effect(row: Row) -> Sentence:
    """How often 0 is left out although it is true, and why less often than in 5%."""
    return sentence(
        "With no effect of the arm the interval left 0 out in {share} of {trials} trials (Monte Carlo standard error "
        "{error} points). Less than {nominal} is expected: the prior draws estimates towards 0, so that intervals hold "
        "0 in more than {interval} of trials without an effect. At a rate of {nominal_again}, up to {most} would "
        "occur in {sure} of {sets} such studies.",
        share=row.number("excludes_0"),
        trials=whole(row.replications),
        error=points(row["excludes_0_mcse"]),
        nominal=show(1 - LEVEL, SHARE, 0),
        nominal_again=show(1 - LEVEL, SHARE, 0),
        interval=INTERVAL,
        most=show(most_excluding(row.replications), SHARE),
        sure=Number(39, "39"),
        sets=Number(40, "40"),
    )


def points(share: float) -> Number:
    """An error of a share, in percentage points."""
    return Number(share, show(share, SHARE).text.removesuffix("%"))


def _ended(first: Sentence, rest: Sentence) -> Sentence:
    return Sentence((*first.pieces, *rest.pieces), {**first.numbers, **rest.numbers})


def _ranks(study: Calibration, panels: list[calibration_ranks.Panel]) -> Section:
    lines = [sentence("{quantity}: {where}.", quantity=Label(capital(panel.label)), where=Label(panel.told))
             for panel in panels if not panel.curve.inside]  # fmt: skip
    own = {row.quantity: row.uniform for row in study.of(PRIOR)}
    lines += [
        sentence(
            "{quantity}: the study’s own criterion, the largest distance, says {verdict}.",
            quantity=Label(capital(panel.label)),
            verdict="inside" if own[panel.quantity] else "outside",
        )
        for panel in panels
        if own[panel.quantity] not in (None, panel.curve.inside)
    ]
    return Section(
        0,
        "Are the ranks of the true values uniform?",
        "",
        figures={calibration_ranks.NAME: calibration_ranks.draw(panels)},
        values={"lines": lines, "reading": READ_RANKS},
    )


def _coverage(study: Calibration) -> Section:
    made = {coverage.NAME: coverage.draw(study)}
    return Section(
        0, "How often does the interval hold the truth?", "", figures=made, values={"reading": READ_COVERAGE}
    )


def _tables(study: Calibration) -> Section:
    found = calibration_tables.tables(study)
    return Section(0, "How large are errors, intervals and power?", "", tables=found, values={"reading": READ_TABLES})


def _again(study: Calibration) -> Section:
    table = simulations.settings(study.about)
    return Section(
        0,
        "How to get the same numbers again?",
        "",
        tables={table.name: table},
        values={"command": True, "form": "plain"},
    )
