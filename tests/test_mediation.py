"""The mediation model against its own mathematics: density by hand, `pm.do`, completion, order and names."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pymc as pm
import pytensor
import pytest
from scipy import special, stats

from models.design.layout import Design
from models.design.mediation_cells import cells
from models.design.mediators import NO_MEDIATORS
from models.equations import forward
from models.equations.likelihoods import dispersion
from models.equations.mediation import Mediation
from models.equations.mediator_kinds import MEDIATOR_KINDS
from models.equations.mediator_parameters import acting, spread_of
from models.estimands import counterfactuals
from models.estimands.counterfactuals import World, expected
from models.estimands.path_effects import path_draws
from models.estimands.points import Points
from priors import prior_set
from priors.prior import lkj_shapes
from tests import pinned_mediation as pinned

mediation = Mediation()

PRIORS = prior_set.load()
FAST = "FAST_COMPILE"
KINDS = [("normal", "share"), ("binary", "student"), ("share", "binary", "normal")]
CASES = list(zip(("logit", "negative binomial", "normal"), KINDS, strict=True))


def _fitted(model: pm.Model, design: Design) -> pm.Model:
    given = mediation.observed(design)
    return pm.observe(model, {name: value.astype(model[name].dtype) for name, value in given.items()})


def _one(draws, chain=0, draw=0):
    return draws.isel(chain=[chain], draw=[draw])


def _root(partial: np.ndarray, size: int) -> np.ndarray:
    """Cholesky root by regression on those before: shares no code with the product."""
    correlation = np.eye(size)
    place = 0
    root = np.zeros((size, size))
    for j in range(size):
        left = 1.0
        for k in range(j):
            root[j, k] = partial[place] * np.sqrt(left)
            left *= 1 - partial[place] ** 2
            place += 1
        root[j, j] = np.sqrt(left)
    correlation = root @ root.T
    np.testing.assert_allclose(np.diag(correlation), 1)
    return root


def _by_hand(design: Design, draws) -> float:
    """Log joint density of one draw: priors, traits, mediators, and outcomes with missing mediators summed out."""
    values = forward.values_of(draws)
    layout = design.mediators
    total = sum(float(part.sum()) for part in mediation.log_prior(draws, design, PRIORS).values())
    # the prior of the matrix is held up to a constant; the model's betas have theirs, and their own shape
    partial = values["partial_correlation"][0, 0]
    shapes = lkj_shapes(PRIORS["partial_correlation"].arguments["shape"], partial.size)
    total -= mediation.log_prior(draws, design, PRIORS)["partial_correlation"].item()
    total += stats.beta.logpdf((1 + partial) / 2, shapes, shapes).sum()
    size = layout.count + 1
    root = _root(partial, size)
    scales = np.array([*values["mediator_tau"][0, 0], values["tau"][0, 0]])
    covariance = (scales[:, None] * root) @ (scales[:, None] * root).T
    traits = np.vstack([values["mediator_trait"][0, 0], values["trait"][0, 0]])
    total += stats.multivariate_normal(np.zeros(size), covariance).logpdf(traits.T).sum()
    for place in range(layout.count):
        person, wave = np.nonzero(~np.isnan(layout.value[place]))
        predictor = forward.mediator_predictor(values, design, place, person, wave)[0, 0]
        own = {name: np.asarray(part).ravel()[0] for name, part in spread_of(place, values, design).items()}
        rule = MEDIATOR_KINDS[layout.kind[place]].log_probability
        total += rule(layout.value[place][person, wave], predictor, own).sum()
    read = forward.mediators_read(values, design)
    likely = design.family.log_probability
    spread = dispersion(draws, design)[0, 0]
    for cell in range(design.outcome.size):
        person, before = design.participant_of[cell], design.wave_of[cell] - layout.lag
        options = [_options(design, values, place, person, before, cell, read) for place in acting(design)]
        terms = []
        for chosen in product(*options):
            taken = {place: np.full((1, 1, design.outcome.size), value) for place, (value, _) in enumerate(chosen)}
            eta = forward.outcome_predictor(values, design, taken, values["trait"])[0, 0, cell]
            terms.append(sum(weight for _, weight in chosen) + likely(design.outcome[cell], eta, spread[cell]))
        total += special.logsumexp(terms)
    return float(total)


def _options(design, values, place, person, before, cell, read):
    """What one mediator may be for one outcome: (scaled value, log weight)."""
    layout = design.mediators
    if not layout.acts[place, design.wave_of[cell]]:
        return [(0.0, 0.0)]
    if before >= 0 and not np.isnan(value := layout.value[place, person, before]):
        return [(layout.scaled(place, value), 0.0)]
    if layout.kind[place] in ("normal", "student"):
        return [(read[place].reshape(-1, design.outcome.size)[0, cell], 0.0)]
    one = np.array([person]), np.array([before])
    eta = forward.mediator_predictor(values, design, place, *one)[0, 0, 0]
    own = {name: np.asarray(part).ravel()[0] for name, part in spread_of(place, values, design).items()}
    if layout.kind[place] == "binary":
        p = special.expit(eta)
        return [(layout.scaled(place, 0.0), np.log1p(-p)), (layout.scaled(place, 1.0), np.log(p))]
    zero, top = special.expit(own["low"] - eta), special.expit(eta - own["high"])
    # Gauss–Jacobi: the two nodes and weights of a beta density, by another library's rule
    mean = special.expit(eta)
    nodes, weights = special.roots_jacobi(2, (1 - mean) * own["precision"] - 1, mean * own["precision"] - 1)
    between = [
        (layout.scaled(place, (1 + node) / 2), np.log((1 - zero - top) * weight / weights.sum()))
        for node, weight in zip(nodes, weights, strict=True)
    ]
    return [(layout.scaled(place, 0.0), np.log(zero)), (layout.scaled(place, 1.0), np.log(top)), *between]


def _point(design: Design, draws) -> tuple[dict, float]:
    """One draw as the model's own random variables, and the log Jacobian of writing traits and latents as standard."""
    values = {name: value[0, 0] for name, value in forward.values_of(draws).items()}
    layout, point, jacobian = design.mediators, {}, 0.0
    for name in mediation.dimensions(design):
        prior, value = PRIORS[name], values[name]
        if prior.distribution == "exchangeable_normal" and value.shape[-1] > 1:
            root = np.linalg.cholesky(prior.covariance(value.shape[-1]))
            point[f"{name}_standard"] = np.linalg.solve(root, value.T).T
            jacobian += np.log(np.diag(root)).sum() * (value.size // value.shape[-1])
        elif prior.distribution == "lkj":
            point[f"{name}_standard"] = (1 + value) / 2
        else:
            point[name] = value
    root = _root(values["partial_correlation"], layout.count + 1)
    scales = np.array([*values["mediator_tau"], values["tau"]])
    traits = np.vstack([values["mediator_trait"], values["trait"]])
    order = np.argsort([-known for known in (*layout.reliability, design.reliability)], kind="stable")
    root, scales, traits = np.linalg.cholesky((root @ root.T)[np.ix_(order, order)]), scales[order], traits[order]
    standard = np.linalg.solve(scales[:, None] * root, traits)
    for k, place in enumerate(order):
        outcome = place == layout.count
        if design.centred if outcome else layout.centred[place]:
            score = design.covariates @ (values["gamma"] if outcome else values["mediator_gamma"][place])
            level = values["mu_0"] if outcome else values["mediator_mu_0"][place]
            point[f"trait {k + 1}_standard"] = traits[k] + level + score
        else:
            point[f"trait {k + 1}_standard"] = standard[k]
            jacobian += design.participants * np.log(scales[k] * root[k, k])
    return point, jacobian


def _with_latent(design: Design, draws, rng):
    """Values for what the model holds as latent."""
    plan, layout, extra, point, jacobian = cells(design), design.mediators, {}, {}, 0.0
    values = forward.values_of(draws)
    for place, rows in plan.latent.items():
        name = layout.name[place]
        noise = rng.standard_normal(rows.size)
        own = spread_of(place, values, design)
        people, before = design.participant_of[rows], design.wave_of[rows] - layout.lag
        middle = forward.mediator_predictor(values, design, place, people, before)
        extra[f"missing {name}"] = (
            ("chain", "draw", f"cell of {name}"),
            middle + own["residual_sd"][..., None] * noise,
        )
        point[f"missing {name}_standard"] = noise
        rule = stats.t(own["nu"].ravel()[0]) if "nu" in own else stats.norm()
        jacobian += rule.logpdf(noise).sum()
    return draws.assign(extra), point, jacobian


AS_LISTED, CENTRED, TURNED = (-np.inf, -np.inf, -np.inf), (1.0, 1.0, 0.9), (0.1, 0.6, 0.9)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("likelihood", "kinds", "missing", "at_baseline", "known"),
    [
        ("logit", KINDS[0], 0.3, True, TURNED),
        ("logit", KINDS[0], 0.0, False, AS_LISTED),
        ("negative binomial", KINDS[1], 0.3, True, AS_LISTED),
        ("negative binomial", KINDS[1], 0.0, False, CENTRED),
        ("normal", KINDS[2], 0.3, True, CENTRED),
        ("normal", KINDS[2], 0.0, False, TURNED),
        ("probit", KINDS[0], 0.3, True, CENTRED),
    ],
)
def test_pymc_has_the_density_written_by_hand(likelihood, kinds, missing, at_baseline, known):
    """Whatever is known of participants' levels: none or all of them centred, sampled as listed or in reverse."""
    design = pinned.four_waves(likelihood, kinds, missing, at_baseline=at_baseline)
    layout = replace(design.mediators, reliability=known[: len(kinds)])
    design = replace(design, mediators=layout, reliability=known[-1])
    model = mediation.build(design, PRIORS)
    fitted = pm.observe(
        model, {name: value.astype(model[name].dtype) for name, value in mediation.observed(design).items()}
    )
    compiled = None
    for draw in range(2):
        one, latent, jacobian = _with_latent(
            design, _one(pinned.posterior(design, 2), 0, draw), np.random.default_rng(draw)
        )
        point, own = _point(design, one)
        point |= latent
        if compiled is None:
            # untransformed: the density of the parameters themselves
            plain = pm.model.transform.conditioning.remove_value_transforms(fitted)
            logp = plain.logp()
            compiled = pytensor.function(
                [plain.rvs_to_values[v] for v in plain.free_RVs], logp, mode=FAST, on_unused_input="ignore"
            )
            names = [v.name for v in plain.free_RVs]
        assert set(names) == set(point), set(names) ^ set(point)
        found = float(compiled(*[np.asarray(point[name], dtype=float) for name in names]))
        assert found == pytest.approx(_by_hand(design, one) + jacobian + own, rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("likelihood", "kinds"), [("logit", KINDS[0]), ("negative binomial", KINDS[1]), ("normal", KINDS[2])]
)
def test_pm_do_agrees_with_g_computation_on_pinned_traits_and_innovations(likelihood, kinds, monkeypatch):
    """Each equation has its own arm: J(z; z′) by interventions on the PyMC model, to 1e-12."""
    monkeypatch.setattr(counterfactuals, "MOST_STATES", 1)  # mediators drawn at their innovations, none summed over
    design = pinned.four_waves(likelihood, kinds, at_baseline=False).complete()
    layout, people = design.mediators, design.participants
    draws = _one(pinned.posterior(design, 2))
    values = {name: value[0, 0] for name, value in forward.values_of(draws).items()}
    uniform = np.random.default_rng(3).random((layout.count, people))
    points = Points(np.zeros((0, people)), uniform, np.arange(people), 1)
    model = mediation.build(design, PRIORS)
    wave, before = 3, 3 - layout.lag
    for z, other in product((0, 1), (0, 1)):
        pins = {name: values[name] for name in (*mediation.dimensions(design), "trait", "mediator_trait")}
        arms = {"arm": np.full(people, z - 0.5), "mediator_arm": np.full((layout.count, people), other - 0.5)}
        world = pm.do(model, pins | arms)
        moved = {}
        for place, name in enumerate(layout.name):
            variable = world[f"value of {name}"]
            predictor = _predictor_of(variable, layout.kind[place]).eval(mode=FAST).reshape(people, 4)
            own = {
                key: np.asarray(part).ravel()[0]
                for key, part in spread_of(place, forward.values_of(draws), design).items()
            }
            value = np.zeros((people, 4))
            if "nu" in own:
                own["nu"] = np.full((1, 1), own["nu"])
            value[:, before] = MEDIATOR_KINDS[layout.kind[place]].value(uniform[place], predictor[:, before], own)
            moved[f"value of {name}"] = value.ravel().astype(variable.dtype)
        outcome = pm.do(world, moved)["outcome"]
        mean = _mean_of(outcome, likelihood).eval(mode=FAST).reshape(people, 4)[:, wave].mean()
        found = expected(draws, design, [World(z, wave, ((other, before),) * layout.count)], points, "sample")
        assert float(found.mean[0, 0]) == pytest.approx(float(mean), rel=1e-12, abs=1e-12)


def _predictor_of(variable, kind):
    first = variable.owner.op.dist_params(variable.owner)
    if kind == "binary":
        return pm.math.logit(first[0])
    return first[1] if kind == "student" else first[0]


def _mean_of(variable, likelihood):
    parameters = variable.owner.op.dist_params(variable.owner)
    if likelihood == "negative binomial":
        n, p = parameters
        return n * (1 - p) / p
    return parameters[0]


@pytest.mark.slow
def test_do_simulates_what_is_averaged():
    """J(1; 0) by 4,000 simulated trials of the PyMC model: within 4 binomial standard errors."""
    design = pinned.four_waves(kinds=("normal", "share"), at_baseline=False).complete()
    draws = _one(pinned.posterior(design, 2))
    values = {name: value[0, 0] for name, value in forward.values_of(draws).items()}
    people = design.participants
    model = mediation.build(design, PRIORS)
    pins = {name: values[name] for name in (*mediation.dimensions(design), "trait", "mediator_trait")}
    arms = {"arm": np.full(people, 0.5), "mediator_arm": np.full((2, people), -0.5)}
    world = pm.do(model, pins | arms)
    drawn = pm.draw(world["outcome"], 4000, random_seed=2, mode=FAST).reshape(4000, people, 4)[:, :, 3]
    rng = np.random.default_rng(1)
    points = Points(np.zeros((0, people * 2000)), rng.random((2, people * 2000)), np.tile(np.arange(people), 2000), 1)
    found = float(expected(draws, design, [World(1, 3, ((0, 2), (0, 2)))], points, "sample").mean[0, 0])
    # 56,000 Bernoulli draws and 28,000 uniforms: SE below 0.0021 + 0.0015; two points for a beta: below 1e-3
    assert drawn.mean() == pytest.approx(found, abs=4 * 0.0026 + 1e-3)


def test_what_is_summed_out_is_drawn_from_its_conditional_distribution():
    design = pinned.four_waves(kinds=("binary", "share"), missing=0.4, interaction=False)
    plan, layout = cells(design), design.mediators
    one, _, _ = _with_latent(design, _one(pinned.posterior(design, 2)), np.random.default_rng(1))
    repeated = one.isel(draw=np.zeros(20_000, int)).assign_coords(draw=np.arange(20_000))
    filled = mediation.completed(repeated, design, seed=4)
    values, read = forward.values_of(one), forward.mediators_read(forward.values_of(one), design)
    likely = design.family.log_probability
    for place in range(2):
        name, cell = layout.name[place], plan.unknown[place][-1]
        person, before = design.participant_of[cell], design.wave_of[cell] - layout.lag
        options = [_options(design, values, k, person, before, cell, read) for k in range(2)]
        weights = {}
        for chosen in product(*options):
            taken = {k: np.full((1, 1, design.outcome.size), value) for k, (value, _) in enumerate(chosen)}
            eta = forward.outcome_predictor(values, design, taken, values["trait"])[0, 0, cell]
            weight = np.exp(sum(w for _, w in chosen) + likely(design.outcome[cell], eta, 0.0))
            key = round(float(chosen[place][0]), 9)
            weights[key] = weights.get(key, 0.0) + weight
        drawn = layout.scaled(place, filled[f"missing {name}"].to_numpy()[0, :, -1])
        for value, weight in weights.items():
            share = weight / sum(weights.values())
            # 20,000 draws: five binomial standard errors
            assert np.isclose(drawn, value, atol=1e-8).mean() == pytest.approx(share, abs=5 * np.sqrt(0.25 / 20_000))


def test_names_and_order_of_mediators_change_nothing():
    from models.design.layout import design
    from models.simulation import simulated_trial
    from tests import trials

    study, data = trials.simulated(simulated_trial.load("mediation_clean"), 3)
    first = design(study, data)
    parts = tuple(part.model_copy(update={"column": f"x{k}"}) for k, part in enumerate(reversed(study.mediators)))
    renamed = {old.column: new.column for old, new in zip(reversed(study.mediators), parts, strict=True)}
    turned = data.isel(mediator=[1, 0]).assign_coords(mediator=[part.column for part in parts])
    second = design(study.model_copy(update={"mediators": parts}), turned)
    assert [renamed[name] for name in first.mediators.name] == list(second.mediators.name)
    for one, other in ((mediation.data, mediation.observed),):
        for verb in (one, other):
            pairs = zip(verb(first).values(), verb(second).values(), strict=True)
            assert all(np.array_equal(a, b) for a, b in pairs)
    draws = pinned.posterior(first, 3)
    other = pinned.posterior(second, 3)
    one, two = (
        path_draws(posterior, layout, [name for name in layout.mediators.name]).values
        for posterior, layout in ((draws, first), (other, second))
    )
    np.testing.assert_array_equal(one["interventional_via"], two["interventional_via"])
    np.testing.assert_array_equal(one["total"], two["total"])


@pytest.mark.slow
def test_d_and_w_have_no_path_to_the_likelihood():
    """Neither is an ancestor of the density, and other beliefs about them leave the density as it is."""
    design = pinned.four_waves(missing=0.2)
    model = mediation.build(design, PRIORS)
    fitted = pm.observe(
        model, {name: value.astype(model[name].dtype) for name, value in mediation.observed(design).items()}
    )
    from pytensor.graph.traversal import ancestors

    named = {variable.name for variable in ancestors([fitted.logp()]) if variable.name}
    assert {"theta_standard", "slope"} <= named, "the walk reaches what is there"
    for row in ("change_without_training", "training_share"):
        assert not [name for name in named if row in name]
        assert row not in mediation.dimensions(design)
        assert row in PRIORS.priors


def test_a_model_without_mediators_and_without_terms():
    design = pinned.four_waves(kinds=("normal",))
    assert mediation.lacking(design) == ""
    nothing = replace(design, mediators=replace(design.mediators, acts=np.zeros((1, 4), bool)))
    assert "slope" not in mediation.dimensions(nothing)
    assert not path_draws(pinned.posterior(nothing, 2), nothing, ["m0"]).values.get("total", [])
    assert mediation.lacking(replace(design, mediators=NO_MEDIATORS)) == "The study file names no mediator."
