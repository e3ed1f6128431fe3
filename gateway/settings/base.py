"""What all settings models share: strict, frozen, unknown keys refused; durations, rates and secrets."""

import os
import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationInfo, model_validator

from gateway.domain.quantity import parse_quantity
from gateway.errors import ConfigError, DataError

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min|h|d)")
_SECONDS = {
    "ms": Decimal("0.001"),
    "s": Decimal(1),
    "min": Decimal(60),
    "h": Decimal(3600),
    "d": Decimal(86400),
}


class Settings(BaseModel):
    """Base of every model: a key nobody knows is an error, not a comment."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


def _duration(value: object) -> float:
    if isinstance(value, float):
        return value
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is no duration; write for example 250ms, 10s, 5min, 8h or 90d")
    return float(Decimal(match[1]) * _SECONDS[match[2]])


def _rate(value: object) -> Decimal:
    number, slash, unit = str(value).partition("/")
    if not slash or unit.strip() not in ("s", "min", "h"):
        raise ValueError(f"{value!r} is no rate; write for example 20/s or 600/min")
    return _exact(number.strip()) / _SECONDS[unit.strip()]


def _exact(value: object) -> Decimal:
    try:
        return parse_quantity(value)
    except DataError as error:
        raise ValueError(str(error)) from error


def _path(value: object, info: ValidationInfo) -> Path:
    if not isinstance(value, str | Path):
        raise ValueError(f"{value!r} is no path")  # noqa: TRY004 - pydantic only collects ValueError
    root = (info.context or {}).get("root", Path())
    return Path(root) / value


def _existing(value: object, info: ValidationInfo) -> Path:
    path = _path(value, info)
    if not path.exists():
        raise ValueError(f"{path} does not exist or can't be reached")
    return path


# Seconds as float: a duration is no quantity.
Duration = Annotated[float, BeforeValidator(_duration, json_schema_input_type=str)]
Rate = Annotated[Decimal, BeforeValidator(_rate, json_schema_input_type=str)]
Exact = Annotated[Decimal, BeforeValidator(_exact, json_schema_input_type=str | int | Decimal)]
ConfigPath = Annotated[Path, BeforeValidator(_path, json_schema_input_type=str)]
ExistingPath = Annotated[Path, BeforeValidator(_existing, json_schema_input_type=str)]


class Secret(Settings):
    """A reference to a secret, never the secret itself: a file, an environment variable or a systemd credential."""

    file: ExistingPath | None = None
    env: str | None = None
    credential: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _never_literal(cls, data: Any) -> Any:
        if isinstance(data, str):
            raise ValueError("a secret never stands here itself; write {file: …}, {env: …} or {credential: …}")  # noqa: TRY004 - pydantic only collects ValueError
        return data

    @model_validator(mode="after")
    def _exactly_one(self) -> "Secret":
        if sum(one is not None for one in (self.file, self.env, self.credential)) != 1:
            raise ValueError("a secret needs exactly one of file, env, credential")
        return self

    def read(self) -> str:
        """Return the secret itself, without a trailing newline; ConfigError where it can't be had."""
        if self.env is not None:
            if self.env not in os.environ:
                raise ConfigError(f"environment variable {self.env} is not set", "it should carry a secret")
            return os.environ[self.env]
        path = self.file or Path(os.environ.get("CREDENTIALS_DIRECTORY", "/run/credentials")) / str(self.credential)
        try:
            return path.read_text(encoding="utf-8").rstrip("\n")
        except OSError as error:
            raise ConfigError(f"secret {path} can't be read: {error.strerror}") from error
