"""The page on a calibration study: does the method find the truth; sentences, curves and tables from its files."""

from __future__ import annotations

from pathlib import Path

from models.calibration.operating_characteristics import CHANCE
from models.checks.uniformity import curve
from reports.figures import calibration_ranks, coverage
from reports.simulations import simulation_page
from reports.simulations.simulation_page import built
from reports.text import calibration_file, calibration_tables
from reports.text.calibration_file import NULL, PRIOR, TRUTH, Calibration
from reports.text.parts import Label, Section, Sentence, sentence
from reports.text.simulation_sentences import at_the_truth, held, inside, sampled, under_no_effect, whole
from reports.text.words import agreeing, capital, count

SETTINGS, SUMMARY, REPLICATIONS = "calibration.json", "calibration.csv", "replications.csv"
READ_RANKS = (
    "A true value is drawn from the prior, a trial is simulated from it and analysed; its rank is the number of "
    "posterior draws below it. If model, sampler and code agree, every rank is equally likely (simulation-based "
    "calibration). Each panel shows the share of ranks at most so large, minus the share expected. A curve above "
    "0 on the left and below it on the right: posteriors are too narrow. The reverse: too wide. All above 0: true"
    " values lie below their posteriors; all below: above them. It cannot show that an estimand is defined wrongly, "
    "since truth and posterior share its code, nor that the model fits the world: for the first, the scenario’s own "
    "true values come from a simulator of its own.",
    "The bands hold all curves of uniform ranks, along their whole length, in at least 95% of studies of this size "
    "(Säilynoja, Bürkner & Vehtari 2022; coverage computed exactly, 5% shared equally among the quantities). "
    "Furthest: where the curve is most widths of the band away from 0.",
)
READ_COVERAGE = (
    "An interval of 95% is right on average over truths drawn from the prior: there 19 of 20 methods that are "
    "right lie in the band. At one fixed truth it need not hold in 95% of trials: the prior draws estimates "
    "towards what it holds credible, so that intervals hold a truth near its centre more often, and one far from "
    "it less often.",
)
READ_TABLES = (
    "Bias: mean of the posterior means minus the true values; over truths drawn from the prior, errors of opposite "
    "sign cancel. RMSE: root mean square error of the posterior mean. "
    "Width: of the 95% interval, mean over trials. Excludes 0 (1 of a ratio): with an effect, the power of the rule "
    "that asks for it; without, its rate of false alarms. Wrong side of 0: the interval excludes 0 and has the other "
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
    reports.page.build.FigureFailed
        If a part of the page cannot be made.
    OSError
        If the folder cannot be written; an earlier page stays as it was.
    """
    study = calibration_file.read(folder / SETTINGS, folder / SUMMARY)
    ranks = calibration_file.ranks(folder / REPLICATIONS)
    labels = {row.quantity: row.label for row in study.of(PRIOR)}
    # the study's own criterion: bands that hold all quantities of a right method at once
    curves = {key: curve(one.rank, one.ranks, 1 - CHANCE / len(ranks)) for key, one in ranks.items()}
    panels = calibration_ranks.panels(curves, labels)
    sections = [
        built("the answer", lambda: _answer(study, panels)),
        *([built("the ranks", lambda: _ranks(panels))] if panels else []),
        built("coverage", lambda: _coverage(study)),
        built("the tables", lambda: _tables(study)),
        built("the settings", lambda: simulation_page.again(study.about)),
    ]
    numbered = simulation_page.numbered(sections)
    people = count(int(study.about["participants"]), "participant")
    standfirst = f"Would the {study.text('model')} model find the truth in a trial of {people}?"
    return simulation_page.write(
        folder, "Calibration study", study.text("title", 400), standfirst, numbered, study.about
    )


def _answer(study: Calibration, panels: list[calibration_ranks.Panel]) -> Section:
    prior, truth, null = (study.find(kind, study.main) for kind in (PRIOR, TRUTH, NULL))
    reported = {"asked": requested(study), "fits": sampled(study.about)}
    found: dict[str, Sentence] = {}
    if prior:
        found["coverage"] = held(prior)
    if panels:
        found["ranks"] = inside(sum(panel.curve.inside for panel in panels), len(panels))
    if truth:
        found["truth"] = at_the_truth(truth)
    if null:
        found["null"] = under_no_effect(null)
    return Section(0, "Does the method find the truth?", "", sentences=found | reported, values={"answer": True})


def requested(study: Calibration) -> Sentence:
    """What was simulated and how often."""
    words = {
        PRIOR: "{prior} with true values drawn from the prior and outcomes from the model itself, for the participants "
        "and observed cells of one trial of the scenario",
        TRUTH: "{truth} with the scenario’s own true values",
        NULL: "{null} with the scenario’s own but arms that do not differ",
    }
    there = [kind for kind in words if study.requested(kind)]
    template = (
        "Trials of {participants} participants and {waves} {wave} were simulated by scenario “{scenario}” and each "
        "was analysed with the {model} model and the priors {priors}: " + "; ".join(words[kind] for kind in there) + "."
    )
    waves = whole(int(study.about["waves"]))
    return sentence(
        template,
        participants=whole(int(study.about["participants"])),
        waves=waves,
        wave=Label(agreeing(waves.text, "waves")),
        scenario=Label(study.text("scenario")),
        model=Label(study.text("model")),
        priors=Label(study.text("priors").replace("_", " ")),
        **{kind: whole(study.requested(kind)) for kind in there},
    )


def _ranks(panels: list[calibration_ranks.Panel]) -> Section:
    lines = [sentence("{quantity}: {where}.", quantity=Label(capital(panel.label)), where=Label(panel.reported))
             for panel in panels if not panel.curve.inside]  # fmt: skip
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
        0, "How often does the interval contain the truth?", "", figures=made, values={"reading": READ_COVERAGE}
    )


def _tables(study: Calibration) -> Section:
    found = calibration_tables.tables(study)
    return Section(
        0,
        "How large are errors and intervals, and how often is 0 left out?",
        "",
        tables=found,
        values={"reading": READ_TABLES},
    )
