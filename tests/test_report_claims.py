"""What a page vouches for: statuses with a check behind them, graphs as fitted, nothing that promises more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from models.checks import outcome_checks
from models.checks.gate_table import Check, CheckName, Gate, Status
from models.trial.data_check.finding import Finding
from reports.figures import graph, paths_graph
from reports.sections import section_06_paths, section_09_what_if
from reports.text import assumption_checks, assumptions, known_truth, path_assumptions
from reports.text.facts import Facts
from tests.report_fixture import Recipe, make

TWO = ("continuous", "share")
INDEPENDENT = "Participants are independent:"
SDS = "Outcomes of either arm vary at each wave as the model has it"


@pytest.fixture(scope="module")
def mediated(tmp_path_factory) -> Facts:
    return Facts(make(tmp_path_factory.mktemp("mediated"), Recipe(mediators=TWO, one_sign=True)))


def statuses(facts: Facts, rows=assumptions) -> dict[str, str]:
    return {one.claim: str(one.standing) for one in rows.assumed(facts)}


def gated(facts: Facts, name: CheckName, status: Status) -> Facts:
    facts.gate = Gate((Check(name, 1.0, None, (), status),))
    return facts


def test_what_nothing_looks_at_is_not_called_checked(tmp_path: Path, mediated: Facts) -> None:
    found = statuses(mediated)
    assert next(status for claim, status in found.items() if claim.startswith(INDEPENDENT)) == "not checked"
    counts = statuses(Facts(make(tmp_path, Recipe(kind="count"))))
    assert counts["Everybody was observed for the same length of time at each wave"] == "not checked"
    assert counts["Any two waves of a participant are equally correlated"] == "not checked"
    through = statuses(mediated.paths, path_assumptions)
    assert through["An earlier outcome does not change a later mediator"] == "not checked"
    for status in (*found.values(), *counts.values(), *through.values()):
        assert status.startswith(("by design", "checked in §", "in doubt, see §", "not testable", "not checked")), (
            status
        )


@pytest.mark.parametrize(
    ("name", "status", "expected"),
    [
        (CheckName.SPREADS, Status.GREEN, "checked in § 2"),
        (CheckName.SPREADS, Status.AMBER, "in doubt, see § 2"),
        (CheckName.SPREADS, Status.NOT_APPLICABLE, "not checked"),
        (CheckName.DIVERGENCES, Status.GREEN, "not checked"),
    ],
)
def test_sds_are_checked_only_by_a_check_that_can_fail(tmp_path: Path, name, status, expected) -> None:
    facts = gated(Facts(make(tmp_path, Recipe(kind="continuous"))), name, status)
    assert statuses(facts)[SDS] == expected


def test_an_outcome_that_never_comes_back_is_in_doubt() -> None:
    def told(*kinds: str) -> str:
        found = tuple(Finding(kind, "Told.", "amber") for kind in kinds)
        return str(assumption_checks.comes_back(SimpleNamespace(check=lambda _: outcome_checks.data(found))))

    assert told("absorbing outcome", "wave without variation") == "in doubt, see § 2"
    assert told("wave without variation") == told() == "checked in § 2"
    assert told("an outcome that is not absorbing") == "checked in § 2", "a kind, not a word in it"
    assert str(assumption_checks.comes_back(SimpleNamespace(check=lambda _: None))) == "not checked"


def test_randomised_effects_on_the_mediators_come_first_and_each_sentence_has_its_class(mediated: Facts) -> None:
    section = section_06_paths.compose(mediated)
    assert section.values["evidence"] == {
        "M1": "assumption-driven",
        "M2": "randomised + MAR",
        "T1_paths": "assumption-driven",
    }
    template = (Path(section_06_paths.__file__).parents[1] / "page" / "templates" / "section_06.html.j2").read_text(
        "utf-8"
    )
    places = [template.index(words) for words in ("s.M2", "t.mediators", "s.M1", "t.decomposition)")]
    assert places == sorted(places)


def test_d_and_w_are_folded_and_never_leave_0_out_by_construction(mediated: Facts) -> None:
    section = section_06_paths.compose(mediated)
    told = [row["estimand"].value for row in section.tables["common_change"].rows]
    assert told == ["common_change", "change_via", "change_via", "change_remainder"]
    rows = {row["estimand"].value: row for row in section.tables["common_change_prior"].rows}
    assert rows["change_training_share"]["posterior"].text.startswith("0 to −")
    assert {row["posterior"].kind for row in rows.values()} == {""}, "not set in bold"


def test_a_change_that_is_no_effect_has_no_band_of_the_margin(mediated: Facts) -> None:
    figures = section_06_paths.compose(mediated).figures
    for form in ("wide", "narrow"):
        assert 'class="band"' in getattr(figures["paths"], form)
        assert 'class="band"' not in getattr(figures["common_change"], form)


def test_no_arrow_that_the_model_lacks_and_one_for_every_cause_of_absence(tmp_path: Path, mediated: Facts) -> None:
    edges = graph.draw(mediated).rows
    assert {cause for cause, effect, _ in edges if effect == "missing outcome"} >= {graph.ARM, graph.BASE}
    described = Facts(make(tmp_path, Recipe()))
    posterior = described.run.tree["posterior"]
    posterior.dataset = posterior.to_dataset().drop_vars("gamma")  # as where no covariate is adjusted for
    assert graph.BASE not in {cause for cause, _, _ in graph.draw(described).rows}
    through = paths_graph.draw(mediated.paths).rows
    labels = [part.label for part in mediated.study.mediators]
    others = {effect for cause, effect, _ in through if cause == paths_graph.OTHER}
    assert others == {*labels, "outcome"}
    assert (paths_graph.ARM, paths_graph.MISSING, "allowed") in through


def test_every_tipping_value_and_grid_says_that_it_is_assumption_driven(mediated: Facts) -> None:
    section = section_09_what_if.compose(mediated)
    for name in ("tipping", "missing_not_at_random", "misreporting", "confounding"):
        assert "assumption-driven" in section.tables[name].note


def test_the_truth_of_a_simulated_trial_stands_beside_the_estimate(tmp_path: Path) -> None:
    made = make(tmp_path, Recipe(mediators=TWO))
    column, wave = made.study.mediators[0].column, made.study.primary_wave
    first = made.study.waves[0].value
    known = {
        "outcome": made.study.outcome.column,
        "risk": {"control": {first: 0.4, wave: 0.3}},
        "risk_difference": {wave: -0.0227},
        "mediator_difference": {column: {wave: 2.0}},
    }
    further = {name: replace(run, truth=known) for name, run in made.further.items()}
    facts = Facts(replace(made, truth=known, further=further)).paths
    assert known_truth.true_value(facts, facts.estimate("total", wave)) == -0.0227
    assert known_truth.true_value(facts, facts.estimate("common_change", wave, arm="control")) == pytest.approx(-0.1)
    assert known_truth.true_value(facts, facts.estimate("natural_direct", wave)) is None
    tables = section_06_paths.compose(facts).tables
    total = next(row for row in tables["decomposition"].rows if row["estimand"].value == "total")
    assert (total["truth"].text, total["truth"].value) == ("−2.3", -0.0227)
    assert next(row for row in tables["mediators"].rows if row["truth"].value is not None)["truth"].value == 2.0
    real = made.study.model_copy(update={"simulated": False})
    other = replace(made, truth=known, study=real)
    assert known_truth.columns(Facts(other)) == (), "of a real trial nobody knows it"
    assert known_truth.columns(Facts(replace(made, truth={"outcome": "another"}))) == ()
