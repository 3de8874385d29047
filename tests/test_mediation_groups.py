"""Groups in the mediation model: levels in every equation, correlated, and averages over new groups."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from models.design.groupings import Groupings
from models.design.layout import Design
from models.equations import forward, groups
from models.equations.mediation import Mediation
from models.estimands.counterfactuals import World, expected
from models.estimands.response import response
from models.estimands.totals import in_arm, points_of
from priors import prior_set
from tests import pinned_mediation as pinned

mediation = Mediation()
PEOPLE = 8


def grouped(design: Design, *kinds: str, varying: bool = True) -> Design:
    """Two groups an arm of each kind; those in which the programme was delivered from the last wave on."""
    waves, people = len(design.wave), design.participants
    treated = design.arm > 0
    number = np.arange(people) // 2 % 2
    members = {
        "randomised": number + 2 * treated,
        "site": number,
        "delivery": np.where(treated, number, -1),
    }
    last = np.arange(waves) == waves - 1
    own = Groupings(
        kinds,
        kinds,
        tuple(int(members[kind].max()) + 1 for kind in kinds),
        np.stack([members[kind] for kind in kinds]),
        np.stack([last if kind == "delivery" else np.ones(waves, bool) for kind in kinds]),
        tuple(kind == "randomised" and varying and waves > 1 for kind in kinds),
    )
    return replace(design, groups=own)


def one_wave(*kinds: str, mediators: tuple[str, ...] = ("normal",)) -> Design:
    return grouped(pinned.single_wave("logit", mediators, PEOPLE, has_trait=True), *kinds)


def at(design: Design, **values: object) -> xr.Dataset:
    """One draw of the parameters that are named, as long as their dimensions; every other one is 0, or .5 if an SD."""
    labels = mediation.coordinates(design)
    found = {}
    for name, dims in mediation.dimensions(design).items():
        shape = tuple(len(labels[dim]) for dim in dims)
        given = values.get(name, 0.5 if name in pinned.POSITIVE else 0.0)
        found[name] = (("chain", "draw", *dims), np.broadcast_to(np.asarray(given, float), shape)[None, None])
    used = {dim: labels[dim] for dims in mediation.dimensions(design).values() for dim in dims}
    return xr.Dataset(found, {**used, "chain": [0], "draw": [0]})


# --- known answers ---------------------------------------------------------------------------------------------------


def test_the_marginal_risk_is_over_new_groups_too():
    """Known answers, by quadrature elsewhere: .37078 and .27093; without a slope the mediator adds nothing."""
    design = one_wave("randomised")
    own = {"tau": 1.2, "group_tau": 0.5, "mediator_group_tau": 0.8, "group_partial_correlation": 0.6}
    draws = at(design, mu_0=-1.0, theta=-0.6, **own)
    found = response(mediation, draws, design, ("population",)).sel(wave="end", average="population").to_numpy().ravel()
    np.testing.assert_allclose(found, [0.37078, 0.27093], atol=2e-4)


def test_delivery_in_groups_moves_the_marginal_risk_by_itself():
    """A known answer: without an effect on the link scale the risks differ by .00524."""
    design = one_wave("delivery")
    draws = at(design, mu_0=-1.0, tau=1.2, group_tau=0.5, mediator_group_tau=0.8)
    worlds = [in_arm(design, arm, 0) for arm in (0, 1)]
    found = expected(draws, design, worlds, points_of(design, wanted=65_536)).mean[0]
    assert found[1] - found[0] == pytest.approx(0.00524, abs=2e-5)


# --- averages against participants drawn one by one ------------------------------------------------------------------


def brute_force(design: Design, draws: xr.Dataset, worlds: list[World], size: int = 400_000) -> np.ndarray:
    """Mean outcome of so many participants, each in groups of her own; every equation is written out again here.

    One wave, one mediator with a lasting level of its own, an outcome with one.
    """
    rng, value = np.random.default_rng(2), {name: each.to_numpy()[0, 0] for name, each in draws.items()}

    def pair(sd: tuple[float, float], correlation: float) -> np.ndarray:
        covariance = np.outer(sd, sd) * [[1, correlation], [correlation, 1]]
        return rng.multivariate_normal([0, 0], covariance, size).T

    always = pair((value["mediator_tau"][0], value["tau"]), value["partial_correlation"][0])
    delivered = np.zeros((2, size))
    for place, kind in enumerate(design.groups.kind):
        own = pair(
            (value["mediator_group_tau"][place, 0], value["group_tau"][place]),
            value["group_partial_correlation"][place, 0],
        )
        if kind == "delivery":
            delivered = delivered + own
        else:
            always = always + own
    noise, uniform = rng.standard_normal(size), rng.random(size)
    found = []
    for world in worlds:
        z = world.sources[0][0]
        linear = value["mediator_mu_0"][0] + (z - 0.5) * value["mediator_theta"][0, 0] + always[0] + z * delivered[0]
        if design.mediators.kind[0] == "normal":
            mediator = linear + value["mediator_residual_sd"][0] * noise
        else:
            mediator = (uniform < 1 / (1 + np.exp(-linear))).astype(float)
        eta = value["mu_0"] + (world.arm - 0.5) * value["theta"][0] + always[1] + world.arm * delivered[1]
        found.append((1 / (1 + np.exp(-(eta + value["slope"][0] * mediator)))).mean())
    return np.array(found)


@pytest.mark.parametrize("kind", ["normal", "binary"])
@pytest.mark.parametrize("groupings", [("randomised",), ("site", "delivery"), ("delivery",)], ids=str)
def test_worlds_are_those_of_participants_drawn_one_by_one(groupings, kind):
    """The Monte-Carlo SD of a mean of 400,000 risks, of an SD below .3, is below .0005; 6 of those are allowed.

    The two agree on differences far better, because participants are the same in all worlds.
    """
    design = pinned.single_wave("logit", (kind,), PEOPLE, has_trait=True)
    design = replace(design, mediators=replace(design.mediators, has_trait=(True,)))
    design = grouped(design, *groupings)
    draws = at(
        design, mu_0=-1.0, theta=0.4, tau=0.8, mediator_mu_0=0.3, mediator_theta=1.0, mediator_tau=0.7, slope=0.9,
        mediator_residual_sd=0.6, partial_correlation=-0.3, group_tau=0.6, mediator_group_tau=1.1,
        group_partial_correlation=0.7,
    )  # fmt: skip
    worlds = [World(arm, 0, ((other, 0),)) for arm in (0, 1) for other in (0, 1)]
    found = expected(draws, design, worlds, points_of(design, wanted=16_384)).mean[0]
    exact = brute_force(design, draws, worlds)
    np.testing.assert_allclose(found, exact, atol=3e-3)
    np.testing.assert_allclose(np.diff(found), np.diff(exact), atol=2e-3)


def test_levels_of_a_wave_widen_as_much_as_lasting_ones():
    """What varies by wave alone and what lasts are one sum to somebody new: only the SDs' squares count."""
    base = replace(pinned.four_waves("logit", ("normal", "share")), covariates=np.zeros((14, 0)), covariate=())
    design = grouped(base, "randomised")
    names = ("group_tau", "mediator_group_tau", "group_wave_tau", "mediator_group_wave_tau")

    def of(lasting: float, wave: float) -> xr.Dataset:
        return at(design, mu_0=-0.5, slope=0.4, **dict(zip(names, (lasting, lasting, wave, wave), strict=True)))

    draws, alone = of(0.6, 0.8), of(1.0, 0.0)
    one, two = (response(mediation, each, design, ("population",)).to_numpy() for each in (draws, alone))
    np.testing.assert_allclose(one, two, atol=1e-12)


def test_this_sample_keeps_its_groups():
    """With mediators that do nothing the mean over participants of their own risks, by a loop."""
    design = grouped(pinned.four_waves("logit"), "randomised", "site")
    draws = pinned.posterior(design, 2, slope=0.0, interaction=0.0)
    found = response(mediation, draws, design, ("sample",)).sel(average="sample").to_numpy()
    everybody = np.arange(design.participants)
    values = forward.values_of(draws)
    for code, arm in enumerate((-0.5, 0.5)):
        for wave in range(len(design.wave)):
            cells = replace(design.at(everybody, np.full(everybody.size, wave)), arm=np.full(everybody.size, arm))
            read = dict.fromkeys(range(2), np.zeros(everybody.size))
            risk = design.family.mean(forward.outcome_predictor(values, cells, read, values["trait"])).mean(-1)
            np.testing.assert_allclose(found[..., code, wave], risk, atol=1e-12)


# --- the model -------------------------------------------------------------------------------------------------------


def test_every_equation_holds_its_groups_levels():
    """By a loop over cells: lasting level, that of the wave, and none before the programme was delivered."""
    design = grouped(pinned.four_waves("logit"), "randomised", "delivery")
    draws = pinned.posterior(design, 2)
    values, plain = forward.values_of(draws), replace(design, groups=Groupings())
    waves = len(design.wave)
    for place in (0, 1):
        for person in range(design.participants):
            for wave in range(-1, waves):
                cell = (np.array([person]), np.array([wave]))
                added = forward.mediator_predictor(values, design, place, *cell)
                added = added - forward.mediator_predictor(values, plain, place, *cell)
                member = design.groups.member[:, person]
                level = values["mediator_group_level"][..., place, :]
                total = level[..., member[0]]
                of_wave = values["mediator_group_wave"][..., place, member[0] * waves + max(wave, 0)]
                total = total + of_wave
                if member[1] >= 0 and wave == waves - 1:
                    total = total + level[..., design.groups.count[0] + member[1]]
                np.testing.assert_allclose(added[..., 0], total, atol=1e-12)


def test_new_groups_levels_have_the_priors_spread_and_correlations():
    """Correlations of 4,000 independent levels have an SD below .016: 5 of those."""
    design = grouped(pinned.four_waves("logit"), "randomised")
    draws = at(design, group_tau=0.5, mediator_group_tau=[[1.5, 0.7]], group_partial_correlation=[[0.5, -0.4, 0.3]])
    many = draws.isel(draw=np.zeros(1000, int))
    new = groups.drawn_anew(many, design, np.random.default_rng(4))
    level = np.concatenate([new["mediator_group_level"][1][0], new["group_level"][1][0][:, None]], axis=1)
    rows = level.swapaxes(0, 1).reshape(3, -1)
    np.testing.assert_allclose(rows.std(1), [1.5, 0.7, 0.5], rtol=0.06)
    # the third row's second partial correlation is .3 given the first equation
    third = -0.4 * 0.5 + 0.3 * np.sqrt((1 - 0.4**2) * (1 - 0.5**2))
    np.testing.assert_allclose(np.corrcoef(rows)[np.tril_indices(3, -1)], [0.5, -0.4, third], atol=0.08)


def test_the_prior_has_every_groups_levels():
    design = grouped(pinned.four_waves("logit"), "randomised")
    prior = mediation.prior(design, prior_set.load(), 50, 1)
    assert prior["mediator_group_level"].shape == (1, 50, 2, 4)
    assert prior["group_wave"].shape == (1, 50, 16)
