"""What every table of a study file is made of, and the `[data]` table: where the data are and how to read them."""

from __future__ import annotations

import csv
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from models.trial import cells

MISSING = ("NA", "NaN", "nan", ".")
"""Words that mean a missing value in any file."""
ENCODING = "utf-8-sig"
"""Of a CSV file; a binary one says its own."""


def _as_text(value: Any) -> Any:
    """Labels in the data may be written as numbers in the study file: 1 stands for "1"."""
    return repr(value) if type(value) in (int, float) and abs(value) < 1e15 else value


Text = Annotated[str, Field(min_length=1)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Whole = Annotated[int, Field(strict=True)]
Flag = Annotated[bool, Field(strict=True)]
Label = Annotated[Text, BeforeValidator(_as_text), AfterValidator(cells.label)]


class Part(BaseModel):
    """A table of the study file; an unknown key is a fault, so that a misspelt one cannot pass unseen."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Data(Part):
    """Where the data are and how to read them; a blank cell is always missing (separator and decimal: CSV only).

    `missing` lists words and numbers that mean a missing value, besides the usual words unless `missing_only`;
    `leave_out` lists arms whose participants are left out.
    """

    file: Text
    separator: Annotated[str, StringConstraints(strip_whitespace=False, min_length=1, max_length=1)] = ","
    decimal: Literal[".", ","] = "."
    encoding: Text = ENCODING
    missing: tuple[Annotated[str, BeforeValidator(_as_text), AfterValidator(cells.label)], ...] = ()
    missing_only: Flag = False
    leave_out: tuple[Label, ...] = ()

    @model_validator(mode="after")
    def _readable(self) -> Self:
        try:
            "a,1".encode(self.encoding).decode(self.encoding)
        except (LookupError, ValueError) as error:
            raise ValueError(
                f"encoding: utf-8, cp1252, latin-1, utf-16 or another that Python knows ({error})"
            ) from None
        try:
            csv.reader([], delimiter=self.separator)
        except (TypeError, ValueError):
            raise ValueError('separator: one character that can separate cells: "," or ";" or "\\t"') from None
        if self.separator == self.decimal:
            raise ValueError("decimal: a character other than the separator")
        return self

    @property
    def decimal_mark(self) -> str:
        """Decimal sign of the cells: what other kinds of file hold is written out with a point."""
        return self.decimal if self.file.lower().endswith(".csv") else "."
