"""Groups that participants share: what is read and refused, levels in the model, averages over new groups."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as sm
import xarray as xr
from scipy import special, stats

from models.calibration.simulated_trials import simulated
from models.checks import outcome_checks, predictive
from models.design.groupings import Groupings
from models.design.layout import Design, design
from models.equations import groups
from models.equations.averages import OF_GROUPS
from models.equations.effect import Effect
from models.equations.effect_integrated import Integrated
from models.equations.histories import integrated_likelihood
from models.estimands import estimands, ledger, model_free
from models.estimands.response import possible, response
from models.faults import InvalidInput
from models.inference import nuts
from models.inference.fitted import Specification
from models.simulation import simulated_trial, study_folder
from models.simulation.scenario import ScenarioError
from models.simulation.scenario_parts import Grouping
from models.simulation.true_values import truth
from models.trial import dataset
from models.trial.data_check import arms_at_baseline, undeclared_groups
from models.trial.study_file import study as studies
from models.trial.study_file.study import Study
from priors import prior_set
from tests.brute_force import brute_force

SIZES = {"randomised": (6, 8), "site": (5,), "delivery": (7,)}


def scenario(kind: str = "randomised", sd: float = 0.5, wave_sd: float = 0.3):
    base = simulated_trial.load("effect")
    own = {base.outcome.column: sd}
    of_waves = {base.outcome.column: wave_sd} if kind == "randomised" else {}
    return replace(base, groupings=(Grouping("council", kind, SIZES[kind], "", own, of_waves),))


@pytest.fixture(scope="module", params=list(SIZES))
def read(request):
    study, trial = simulated(scenario(request.param), 3)
    return study, trial, design(study, trial)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    study_folder.write(tmp_path, simulated_trial.simulate(scenario(), 1))
    return tmp_path


def refused(folder: Path, change) -> InvalidInput:
    """The refusal of a file whose rows, as lists, were changed."""
    head, *rows = [line.split(",") for line in (folder / "data.csv").read_text(encoding="utf-8").splitlines()]
    change(head, rows)
    (folder / "data.csv").write_text("\n".join(map(",".join, [head, *rows])), encoding="utf-8")
    with pytest.raises(InvalidInput) as error:
        dataset.load(*studies.read(folder))
    return error.value


# --- what is read ----------------------------------------------------------------------------------------------------


def test_every_participant_has_the_group_of_the_file(read):
    study, trial, layout = read
    kind, member = study.groupings[0].kind, layout.groups.member[0]
    arm = trial["arm"].to_numpy()
    assert layout.groups.count[0] == len(set(member[member >= 0].tolist())) == sum(SIZES[kind])
    if kind == "randomised":
        assert all(len(set(arm[member == group].tolist())) == 1 for group in range(14))
        assert layout.groups.varying == (True,)
    if kind == "delivery":
        assert (member[arm == 0] == -1).all()
        assert not layout.groups.active[0, 0]


def test_a_participant_in_two_groups_is_refused(folder):
    def change(head, rows):
        place = head.index("council")
        rows[1][place] = rows[-1][place]

    assert "one group a participant" in str(refused(folder, change).faults[0])


def test_a_randomised_group_that_crosses_arms_is_refused(folder):
    def change(head, rows):
        place, arm = head.index("council"), head.index("arm")
        other = next(row[place] for row in rows if row[arm] != rows[0][arm])
        for row in rows:
            if row[0] == rows[0][0]:
                row[place] = other

    assert 'kind = "site"' in str(refused(folder, change).faults[0])


def test_a_participant_without_a_group_is_refused(folder):
    def change(head, rows):
        for row in rows:
            if row[0] == rows[0][0]:
                row[head.index("council")] = ""

    assert "a group in at least one row" in str(refused(folder, change).faults[0])


def test_one_group_in_an_arm_is_refused(folder):
    def change(head, rows):
        place, arm = head.index("council"), head.index("arm")
        first = rows[0][arm]
        for row in rows:
            if row[arm] == first:
                row[place] = "all together"

    assert "two groups or more in each arm" in str(refused(folder, change).faults[0])


def test_a_delivery_group_in_the_control_arm_is_refused(tmp_path):
    study_folder.write(tmp_path, simulated_trial.simulate(scenario("delivery"), 1))
    control = studies.read(tmp_path)[0].arms.control.value

    def change(head, rows):
        for row in rows:
            if row[head.index("arm")] == control:
                row[head.index("council")] = "council1"

    assert "the programme's groups" in str(refused(tmp_path, change).faults[0])


def test_only_one_grouping_can_have_been_randomised(folder):
    path = folder / "study.toml"
    more = '[[groupings]]\ncolumn = "age"\nkind = "randomised"\nlabel = "age"\n\n[[groupings]]'
    path.write_text(path.read_text(encoding="utf-8").replace("[[groupings]]", more, 1), encoding="utf-8")
    with pytest.raises(InvalidInput) as error:
        studies.read(folder)
    assert any("others are sites" in str(fault) for fault in error.value.faults)


@pytest.mark.parametrize(
    "changes",
    [{"kind": "school"}, {"groups": (6,)}, {"groups": (1, 6)}, {"sds": {"nothing": 1.0}}, {"sds": {"violence": -1.0}}],
)
def test_impossible_groups_cannot_be_simulated(changes):
    base = scenario()
    with pytest.raises(ScenarioError, match="grouping"):
        replace(base, groupings=(replace(base.groupings[0], **changes),))


def test_the_file_is_asked_about_groups_until_they_are_declared():
    study, trial = simulated(scenario(), 2)
    assert not list(undeclared_groups.findings(study, trial))


def test_what_lies_inside_randomised_groups_is_not_asked_about(folder):
    """Teams of four members each within the groups: their arm is their group's."""
    head, *rows = [line.split(",") for line in (folder / "data.csv").read_text(encoding="utf-8").splitlines()]
    place, seen = head.index("council"), {}
    for row in rows:
        mates = seen.setdefault(row[place], [])
        if row[0] not in mates:
            mates.append(row[0])
        row.append(f"{row[place]} team {mates.index(row[0]) // 4}")
    (folder / "data.csv").write_text("\n".join(map(",".join, [[*head, "team"], *rows])), encoding="utf-8")
    study, where = studies.read(folder)
    assert not list(undeclared_groups.findings(study, dataset.load(study, where)))
    alone = study.model_copy(update={"groupings": ()})
    named = [finding.message for finding in undeclared_groups.findings(alone, dataset.load(alone, where))]
    assert any("'team'" in message for message in named)
    assert any("'council'" in message for message in named)


# --- the model -------------------------------------------------------------------------------------------------------


def drawn(layout: Design, size: int = 5) -> xr.Dataset:
    return Effect().prior(layout, prior_set.load(), size, 3)


def test_a_predictor_holds_the_levels_of_its_cells_groups(read):
    """By a loop over cells: the lasting level, that of the wave, and none where they are not felt."""
    _, _, layout = read
    draws = drawn(layout)
    own, plain = Effect().predictor(draws, layout), Effect().predictor(draws, replace(layout, groups=Groupings()))
    level = draws[groups.LEVEL].to_numpy()
    for cell in range(0, layout.outcome.size, 7):
        person, wave = layout.participant_of[cell], layout.wave_of[cell]
        member, total = layout.groups.member[0, person], 0.0
        if member >= 0 and layout.groups.active[0, wave]:
            total = level[0, :, member]
            if layout.groups.varying[0]:
                total = total + draws[groups.WAVE].to_numpy()[0, :, member * len(layout.wave) + wave]
        np.testing.assert_allclose(own[0, :, cell] - plain[0, :, cell], total, atol=1e-12)


def test_the_integrated_likelihood_is_that_of_adaptive_quadrature(read):
    _, _, layout = read
    draws = drawn(layout, 2)
    found = integrated_likelihood.log_likelihood(draws, layout)
    fixed = Effect().predictor(draws, layout, np.zeros((1, 2, layout.participants)))[0]
    for person in range(0, layout.participants, 25):
        history = layout.histories.history_of[person]
        if history >= 0:
            exact = brute_force(layout, fixed[0], float(draws["tau"][0, 0]), np.zeros(layout.outcome.size), person)
            assert found[0, history] == pytest.approx(exact, abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(SIZES))
def test_both_computations_have_the_same_posterior(kind):
    """The integrated and the sampled density differ by the traits' integral alone: medians of a short fit agree.

    Each SD has a Monte-Carlo error of about .04 posterior SD; 6 of those errors are allowed.
    """
    study, trial = simulated(scenario(kind), 4)
    sampler = nuts.Sampler(draws=600, tune=400, chains=2, seed=2)
    found = []
    for model in (Effect(), Effect(Integrated())):
        asked = Specification.of(study, trial, model, prior_set.load(), sampler)
        found.append(asked.fit(nuts.sample(asked.ready(), sampler)).posterior)
    for name in ("theta", "tau", "group_tau"):
        one, two = (each[name].to_numpy().reshape(1200, -1) for each in found)
        assert (np.abs(one.mean(0) - two.mean(0)) < 0.25 * one.std(0)).all(), name


def test_new_groups_are_drawn_with_the_groupings_spread(read):
    _, _, layout = read
    draws = drawn(layout, 4000)
    new = groups.drawn_anew(draws, layout, np.random.default_rng(1))[groups.LEVEL][1][0]
    scale = draws["group_tau"].to_numpy()[0]
    np.testing.assert_allclose((new / scale).std(0), 1.0, atol=0.06)


# --- averages --------------------------------------------------------------------------------------------------------


def pinned(kind: str) -> tuple[Design, xr.Dataset]:
    """One draw: η = −1 ± .3 at a follow-up, trait SD 1.2, group SD .5, no levels of single waves."""
    member = np.array([[0, 1, 2, 3]]) if kind == "randomised" else np.array([[-1, -1, 0, 1]])
    own = Groupings(("council",), (kind,), (int(member.max()) + 1,), member, np.array([[True]]), (False,))
    layout = Design("logit", ("end",), ("follow-up",), np.array([-0.5, -0.5, 0.5, 0.5]), np.zeros((4, 0)), (),
                    np.arange(4), np.zeros(4, int), np.array([0, 1, 0, 1]), groups=own)  # fmt: skip
    theta = -0.6 if kind == "randomised" else 0.0
    values = {"mu_0": -1.0, "tau": 1.2}
    draws = xr.Dataset({name: (("chain", "draw"), [[value]]) for name, value in values.items()})
    draws["theta"] = (("chain", "draw", "follow_up"), [[[theta]]])
    draws["group_tau"] = (("chain", "draw", "grouping"), [[[0.5]]])
    return layout, draws.assign_coords(chain=[0], draw=[0])


def test_the_marginal_risk_is_over_new_groups_too():
    """Known answers, by quadrature elsewhere: .37078 and .27093."""
    layout, draws = pinned("randomised")
    found = response(Effect(), draws, layout, ("population",)).sel(wave="end", average="population").to_numpy().ravel()
    np.testing.assert_allclose(found, [0.37078, 0.27093], atol=6e-6)


def test_delivery_in_groups_moves_the_marginal_risk_by_itself():
    """A known answer: without an effect on the link scale the risks differ by .00524."""
    layout, draws = pinned("delivery")
    found = response(Effect(), draws, layout, ("population",)).sel(wave="end", average="population").to_numpy().ravel()
    assert found[1] - found[0] == pytest.approx(0.00524, abs=6e-6)


def test_the_simulators_truth_is_over_new_groups_too():
    """Its Monte-Carlo error is told; the numbers are those known above."""
    base = simulated_trial.load("effect")
    outcome = replace(
        base.outcome, intercepts=(-1.0,) * 4, arm_effects=(0.0, 0.0, -0.6, -0.6), trait_sd=1.2, covariates={}
    )
    grouping = Grouping("council", "randomised", (4, 4), "", {outcome.column: 0.5})
    found = truth(replace(base, outcomes=(outcome,), groupings=(grouping,)))
    for arm, risk in (("control", 0.37078), ("treated", 0.27093)):
        assert found.value("risk", arm, base.primary_wave) == pytest.approx(risk, abs=5 * found.monte_carlo_se)


def test_this_sample_keeps_its_groups(read):
    """At each draw the mean over participants of their own risks, by hand."""
    study, _, layout = read
    draws = drawn(layout, 3)
    if study.groupings[0].kind == "delivery":
        assert "sample" not in possible(draws, layout)
        return
    found = response(Effect(), draws, layout, ("sample",)).sel(average="sample").to_numpy()[0]
    everybody = np.arange(layout.participants)
    for code, arm in enumerate((-0.5, 0.5)):
        for wave in range(len(layout.wave)):
            cells = replace(layout.at(everybody, np.full(everybody.size, wave)), arm=np.full(everybody.size, arm))
            risk = layout.family.mean(Effect().predictor(draws, cells))[0].mean(-1)
            np.testing.assert_allclose(found[:, code, wave], risk, atol=1e-12)


# --- beside the model ------------------------------------------------------------------------------------------------


def test_the_crude_interval_is_of_groups():
    """Statsmodels' cluster-robust variance of a regression on arm, its small-sample factors taken out."""
    study, trial = simulated(scenario(), 5)
    layout, wave = design(study, trial), study.primary_wave
    outcome, arm = trial["outcome"].sel(wave=wave).to_numpy(), trial["arm"].to_numpy()
    group, seen = layout.groups.member[0], ~np.isnan(outcome)
    found = model_free._crude(outcome, arm, np.ones(outcome.size), study, group)
    fit = sm.OLS(outcome[seen], sm.add_constant(arm[seen])).fit(
        cov_type="cluster", cov_kwds={"groups": group[seen], "use_correction": False}
    )
    clusters = np.unique(group[seen]).size
    error = fit.bse[1] * np.sqrt(clusters / (clusters - 1))
    half = (found["upper"] - found["lower"]) / 2
    assert found["estimate"] == pytest.approx(fit.params[1])
    assert half == pytest.approx(stats.t.ppf(0.975, clusters - 2) * error)


def test_arms_are_compared_at_baseline_by_groups():
    """What whole groups share is no difference between arms: participants' P is small, the groups' is not."""
    rng, groups_of = np.random.default_rng(3), np.repeat(np.arange(8), 50)
    level, arm = np.array([-1.0, 0.0, 0.2, 1.0, -0.5, 0.5, 0.7, 1.5]), (np.arange(8) >= 4)[groups_of].astype(int)
    values = level[groups_of] + 0.3 * rng.normal(size=groups_of.size)
    assert arms_at_baseline._p_value(values, arm) < 1e-6
    assert arms_at_baseline._p_value(values, arm, group=groups_of) > 0.05


def test_the_spread_between_groups_is_looked_at_wave_by_wave():
    """Groups far apart under a model without them: outside; the same replicates of groups as far apart: inside."""
    study, trial = simulated(scenario(sd=2.0), 6, 600)
    layout = design(study, trial)
    draws = drawn(layout, 60)
    tight = draws.assign({groups.LEVEL: draws[groups.LEVEL] * 0, groups.WAVE: draws[groups.WAVE] * 0})
    outcome = layout.outcome.astype(float)
    rng = np.random.default_rng(1)
    alone = layout.family.draw(rng, Effect().predictor(tight, layout)[0], np.zeros((60, 1)))
    shuffled = np.array([rng.permutation(outcome) for _ in range(60)])
    rows = {
        name: [
            row for row in predictive.compare(values, layout).to_dict("records") if row["check"] == predictive.GROUPS
        ]
        for name, values in (("shuffled", shuffled), ("prior", alone), ("itself", np.tile(outcome, (60, 1))))
    }
    assert [row["wave"] for row in rows["shuffled"]] == list(layout.wave)
    assert all(row["tail"] == 0 for row in rows["shuffled"])
    assert all(row["inside"] for row in rows["itself"])


def test_few_groups_are_told(read):
    study, trial, _ = read
    checks = outcome_checks.groups(design(study, trial))
    if study.groupings[0].kind != "randomised":
        assert checks == ()
        return
    assert checks[0].status == "amber"
    assert checks[0].value == 6
    assert checks[0].where == ({"arm": "control"},)


def test_the_claim_is_of_no_interference_between_groups(read):
    study, _, _ = read
    assumed = ledger.Setting.of(study).assumptions
    expected = ledger.BETWEEN_GROUPS if study.groupings[0].kind == "randomised" else ledger.RANDOMISATION[0]
    assert assumed[0] == expected


def test_averages_over_these_groups_are_those_of_enumeration():
    """Gauss-Hermite over the trait for every member of every group, at pinned draws; groups of 4 and of many."""
    study, trial = simulated(scenario(), 3)
    layout = design(study, trial)
    rank = np.where(layout.arm < 0, np.cumsum(layout.arm < 0), np.cumsum(layout.arm > 0)) - 1
    member = np.where(layout.arm < 0, np.minimum(rank // 4, 5), 6 + rank % 8)
    layout = replace(layout, groups=replace(layout.groups, member=member[None]))
    draws = drawn(layout, 2)
    found = response(Effect(), draws, layout, (*OF_GROUPS, "population")).isel(chain=0)
    node, weight = np.polynomial.hermite_e.hermegauss(60)
    weight /= weight.sum()
    size, alone = np.bincount(member), {name: value.to_numpy()[0] for name, value in draws.items()}
    for draw in range(2):
        one = {name: value[draw] for name, value in alone.items()}
        level = one["mu_0"] + np.concatenate([[0.0], np.cumsum(one["step"])])
        effect = np.concatenate([[0.0], one["theta_negative_control"], one["theta"]])
        for wave in range(4):
            shared = one[groups.LEVEL][member] + one[groups.WAVE][4 * member + wave]
            own = layout.covariates @ one["gamma"] + shared + level[wave]
            for arm, sign in (("control", -0.5), ("treated", 0.5)):
                each = special.expit((own + sign * effect[wave])[:, None] + one["tau"] * node) @ weight
                means = np.bincount(member, each) / size
                at = found.isel(draw=draw, wave=wave).sel(arm=arm)
                assert float(at.sel(average="these groups")) == pytest.approx(each.mean(), abs=1e-8)
                assert float(at.sel(average="groups equally")) == pytest.approx(means.mean(), abs=1e-8)
    assert float(np.abs(found.sel(average="these groups") - found.sel(average="groups equally")).max()) > 1e-3


def test_who_offers_averages_over_groups():
    for kind, there in (("randomised", True), ("site", False), ("delivery", False)):
        layout = design(*simulated(scenario(kind), 3))
        assert (set(OF_GROUPS) <= set(possible(drawn(layout, 2), layout))) == there


# --- members recruited once groups had their arms ---------------------------------------------------------------------


def recruited_after(study: Study) -> Study:
    """The same trial, whose members joined groups that had their arms."""
    return study.model_copy(
        update={"groupings": tuple(each.model_copy(update={"recruited": "after"}) for each in study.groupings)}
    )


def test_recruitment_into_sites_has_no_order(folder):
    file = folder / "study.toml"
    text = file.read_text(encoding="utf-8")
    assert 'kind = "randomised"' in text
    file.write_text(text.replace('kind = "randomised"', 'kind = "site"\nrecruited = "after"'), encoding="utf-8")
    with pytest.raises(InvalidInput) as error:
        studies.read(folder)
    assert "groupings (no. 1).recruited" in str(error.value)


def test_nothing_is_randomised_where_members_joined_later():
    study, trial = simulated(scenario(), 3)
    later = recruited_after(study)
    for one, classes in (
        (study, {ledger.Evidence.RANDOMISED, ledger.Evidence.RANDOMISED_MAR}),
        (later, {ledger.Evidence.ASSUMPTION}),
    ):
        layout = design(one, trial)
        levels = response(Effect(), drawn(layout, 3), layout, ("population",))
        found = estimands.estimates(estimands.contrasts(levels, one), one, trial)
        claims = [each.claim for each in found if each.estimand == "risk_difference"]
        assert claims
        assert {claim.evidence for claim in claims} <= classes
        assert all((ledger.RECRUITED_ALIKE in claim.assumptions) == (one is later) for claim in claims)


@pytest.mark.parametrize("model", [Effect(), Effect(Integrated())], ids=["sampled", "integrated"])
def test_arms_that_differ_from_the_start_have_levels_of_their_own(model):
    """Recruiters of the treated arm found fewer who had the outcome, and nothing moved it: the gap is old.

    A baseline that both arms share would halve it. The gap at the baseline lies within 3 posterior SD of the crude one.
    """
    study, trial = simulated(scenario(sd=0.1, wave_sd=0.1), 5)
    rng, outcome = np.random.default_rng(2), trial["outcome"].copy()
    outcome[:] = rng.random(outcome.shape) < np.where(trial["arm"] == 1, 0.35, 0.65)[:, None]
    trial = trial.assign(outcome=outcome)
    sampler, gaps = nuts.Sampler(draws=500, tune=400, chains=2, seed=2), {}
    for name, one in (("shared", study), ("own", recruited_after(study))):
        asked = Specification.of(one, trial, model, prior_set.load(), sampler)
        fit = asked.fit(nuts.sample(asked.ready(), sampler))
        levels = response(model, fit.posterior, asked.design, ("population",)).sel(average="population")
        gaps[name] = (levels.sel(arm="treated") - levels.sel(arm="control")).isel(wave=0)
    assert float(np.abs(gaps["shared"]).max()) == 0
    first, arm = trial["outcome"].isel(wave=0), trial["arm"]
    crude = float(first[arm == 1].mean() - first[arm == 0].mean())
    assert crude < -0.15
    assert abs(float(gaps["own"].mean()) - crude) < 3 * float(gaps["own"].std())
    assert float(gaps["own"].mean()) < crude / 2


def test_a_baseline_that_arms_do_not_share_is_not_adjusted_for():
    study, trial = simulated(scenario(), 3)
    wave = study.primary_wave
    one, other = (
        model_free.adjusted(wave, trial, design(each, trial), each) for each in (study, recruited_after(study))
    )
    assert other.coefficients == one.coefficients - 1
