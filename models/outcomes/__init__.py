"""How an outcome can arise: one file a kind of outcome, and in it all that the toolkit must know of that kind.

A family added here is found by its class. docs/extending.md has what else a new kind needs.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping

from models.outcomes.family import Family

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

FAMILIES: Mapping[str, Family] = {
    family.name: family for family in sorted((each() for each in Family.known()), key=lambda each: each.number)
}
"""Every family by the name that `Design.likelihood` carries, in the order of their numbers."""
if [family.number for family in FAMILIES.values()] != list(range(len(FAMILIES))):
    # compiled code calls a family by its place
    raise TypeError(f"families are not numbered 0, 1, 2, …: {[(each.name, each.number) for each in FAMILIES.values()]}")
SPREADS = tuple(name for family in FAMILIES.values() for name in (family.spread, family.spread_ratio) if name)
"""Parameters of an outcome's spread, each of some family."""
KINDS = tuple(dict.fromkeys(family.kind for family in FAMILIES.values()))
"""What a study file may say of an outcome: `kind`."""


def of_kind(kind: str) -> list[Family]:
    """Families of one kind of outcome; where they are several, each has a link of its own."""
    return [family for family in FAMILIES.values() if family.kind == kind]


def family_of(kind: str, link: str) -> Family:
    """The family of an outcome as a study file describes it.

    Parameters
    ----------
    kind, link : str
        Of the study file; the link matters only where a kind has more than one.

    Raises
    ------
    ValueError
        If no family of that kind has that link.
    """
    known = of_kind(kind)
    found = next((family for family in known if family.link == link or len(known) == 1), None)
    if found is None:
        links = " or ".join(f'"{family.link}"' for family in known)
        raise ValueError(f'link: {links}; "{link}" is for other kinds of outcome')
    return found
