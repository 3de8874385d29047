"""Reading a scenario from TOML, by name or by path; every misfit of the file is reported at once."""

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from models.simulation import scenario_parts
from models.simulation.scenario import Scenario, ScenarioError
from models.simulation.scenario_parts import Description

FOLDER = Path(__file__).parent / "scenarios"
_TABLES = tuple(part for part in vars(scenario_parts).values() if is_dataclass(part) and part is not Description)
"""Every part of a scenario that a file writes as a table."""


def names() -> list[str]:
    """Return the names of the scenarios that come with the project."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(scenario: str | Path) -> Scenario:
    """Return a scenario by its name in `models/simulation/scenarios` or by the path of a TOML file.

    A file may say `like = "NAME"` of a shipped scenario, or `like = "OTHER.toml"` of a file beside it: top-level keys
    that it does not give are those of that scenario. A key that it gives stands whole: nothing of the other's remains.

    Raises
    ------
    ScenarioError
        If there is no such file, it is not TOML, a key is unknown, missing or of the wrong type, or a value is
        impossible.
    """
    path = Path(scenario) if Path(scenario).suffix == ".toml" else FOLDER / f"{scenario}.toml"
    table = _table(path, shown=str(scenario))
    misfits: list[str] = []
    built = _build(Scenario, {"name": path.stem, **table}, "", misfits)
    if misfits:
        raise ScenarioError(f"scenario file {path} cannot be used:\n" + "\n".join(f"- {text}" for text in misfits))
    assert isinstance(built, Scenario)
    return built


def _table(path: Path, shown: str, heirs: tuple[Path, ...] = ()) -> dict[str, Any]:
    """Return the file's table over that of the scenario it is `like`; a key replaces the whole key."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        known = ", ".join(names())
        raise ScenarioError(
            f"there is no scenario {shown!r}{_looked_for(path)}; give the path of a .toml file or one of: {known}"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path} is not valid TOML ({error}); correct that place") from error
    except OSError as error:
        raise ScenarioError(f"{path} cannot be read ({error.strerror}); check the path and its permissions") from error
    base = table.pop("like", None)
    if base is None:
        return table
    parent = path.parent / base if str(base).endswith(".toml") else FOLDER / f"{base}.toml"
    if parent in (path, *heirs):
        raise ScenarioError(f"{path} is like {base!r}, which is like it in turn: nothing is defined; drop one `like`")
    return {**_table(parent, shown=str(base), heirs=(*heirs, path)), **table}


def _looked_for(path: Path) -> str:
    return "" if path.parent == FOLDER else f" (looked for {path})"


def _build(cls: type, table: Mapping[str, Any], where: str, misfits: list[str]) -> Any:
    hints, known = get_type_hints(cls), {f.name: f for f in fields(cls)}
    before = len(misfits)
    for key in table.keys() - known.keys():
        misfits.append(f"{where}{key}: unknown key, so it would be ignored; use one of {', '.join(known)}")
    for key in [name for name, f in known.items() if _required(f) and name not in table]:
        misfits.append(f"{where}{key}: missing, and it has no default; add it")
    values = {k: _value(hints[k], v, f"{where}{k}", misfits) for k, v in table.items() if k in known}
    if len(misfits) > before:
        return None
    return cls(**values)


def _required(item: Field[Any]) -> bool:
    return item.default is MISSING and item.default_factory is MISSING


def _value(hint: Any, value: Any, where: str, misfits: list[str]) -> Any:
    options = get_args(hint) if get_origin(hint) is UnionType else (hint,)
    kind = options[0]
    if kind in _TABLES and isinstance(value, dict):
        return _build(kind, value, f"{where}.", misfits)
    if get_origin(kind) is tuple and isinstance(value, list):
        inner = get_args(kind)[0]
        return tuple(_value(inner, item, f"{where}[{i}]", misfits) for i, item in enumerate(value, start=1))
    if get_origin(kind) is Mapping and isinstance(value, dict):
        inner = get_args(kind)[1]
        return {key: _value(inner, item, f"{where}.{key}", misfits) for key, item in value.items()}
    if kind is Any:
        return tuple(value) if isinstance(value, list) else value
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if kind in (str, int, bool) and type(value) is kind:
        return value
    misfits.append(f"{where}: {value!r} has the wrong type; give {_shape(kind, where)}")
    return None


def _shape(kind: Any, where: str) -> str:
    """How a value of that type is written."""
    if kind in _TABLES:
        return f"one table, [{where}]"
    if get_origin(kind) is tuple:
        inner = get_args(kind)[0]
        return f"tables, each headed [[{where}]]" if inner in _TABLES else "a list in square brackets"
    return _NAMES.get(kind, f"a table, [{where}]")


_NAMES = {float: "a number", int: "a whole number", str: "a text in quotes", bool: "true or false"}
