"""What all settings models share: strict, frozen, unknown keys refused; durations, rates and secrets."""

import os
import re
from datetime import UTC, datetime, time
from decimal import Decimal
from fractions import Fraction
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from gateway.domain.quantity import parse_quantity
from gateway.errors import ConfigError, DataError
from gateway.settings.fault import hint

_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*(ms|s|min|h|d)", re.ASCII)
_SECONDS = {
    "ms": Decimal("0.001"),
    "s": Decimal(1),
    "min": Decimal(60),
    "h": Decimal(3600),
    "d": Decimal(86400),
}
_SIZE = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s*(KiB|MiB|GiB|TiB)|0", re.ASCII)
_BYTES = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_DRIFT = re.compile(r"(\d{1,5}(?:\.\d{1,3})?)\s*ppm", re.ASCII)
_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d", re.ASCII)


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


def is_duration(value: object) -> bool:
    """Tell whether `value` is written as a duration, such as 10s."""
    return isinstance(value, str) and _DURATION.fullmatch(value.strip()) is not None


def _size(value: object) -> int:
    match = _SIZE.fullmatch(str(value).strip()) if isinstance(value, str | int) else None
    if match is None:
        raise ValueError(f"{value!r} is no size; write for example 512KiB, 8MiB, 4GiB, or 0")
    return int(Decimal(match[1]) * _BYTES[match[2]]) if match[1] else 0


def _rate(value: object) -> Decimal:
    number, _, unit = str(value).partition("/")
    try:
        rate = parse_quantity(number.strip()) / _SECONDS[unit.strip()]
    except (DataError, KeyError) as error:
        raise ValueError(f"{value!r} is no rate; write for example 20/s or 600/min") from error
    if rate <= 0:
        raise ValueError(f"{value!r} has to be more than nothing")
    return rate


def _exact(value: object) -> Decimal:
    try:
        return parse_quantity(value)
    except DataError as error:
        raise ValueError(str(error)) from error


def _ratio(value: object) -> Fraction:
    top, slash, bottom = str(value).partition("/")
    above, below = _exact(top.strip()), _exact(bottom.strip()) if slash else Decimal(1)
    if above <= 0 or below <= 0:
        raise ValueError(f"{value} has to be more than nothing; write for example 12, 0.001 or 1/3")
    return Fraction(above) / Fraction(below)


def _percentage(value: object) -> Fraction | None:
    number, percent, rest = str(value).partition("%")
    return None if rest else Fraction(_exact(number.strip())) / (100 if percent else 1)


def _share(value: object) -> Fraction:
    share = _percentage(value)
    if share is None or not 0 <= share < 1:
        raise ValueError(f"{value} is no share below 1; write for example 1.5 % or 0.015")
    return share


def _portion(value: object) -> Fraction:
    portion = _percentage(value)
    if portion is None or not 0 < portion <= 1:
        raise ValueError(f"{value} is no part of a whole; write for example 98 % or 0.98")
    return portion


def _drift(value: object) -> float:
    if isinstance(value, float):
        return value
    match = _DRIFT.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is no drift; write microseconds a second, for example 50 ppm")
    return float(Decimal(match[1]) / 1_000_000)


def is_loopback(host: str) -> bool:
    """Tell whether what goes to `host` stays on this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _time_of_day(value: object) -> time:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise ValueError(f"{value!r} is no time of day; write for example 06:00")
    return time.fromisoformat(value)


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (LookupError, ValueError, OSError) as error:
        raise ValueError(f"time zone {value!r} is unknown; {hint(value, available_timezones())}") from error
    return value


def _moment(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise ValueError(f"{value!r} is no moment; write for example 2026-11-21T10:00:00Z") from error
    if moment.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone; write for example 2026-11-21T10:00:00Z")
    return moment.astimezone(UTC)


def _path(value: object, info: ValidationInfo) -> Path:
    if not isinstance(value, str | Path):
        raise ValueError(f"{value!r} is no path")  # noqa: TRY004 - pydantic only collects ValueError
    root = (info.context or {}).get("root", Path())
    return Path(root) / value


def _existing(value: object, info: ValidationInfo) -> Path:
    path = _path(value, info)
    if not os.access(path, os.R_OK):
        raise ValueError(f"{path} does not exist or can't be read")
    return path


def _written(pattern: str, *examples: object, number: bool = False) -> WithJsonSchema:
    # What an editor should accept; the models themselves hold Decimal, Fraction, seconds …
    return WithJsonSchema(
        {"type": ["string", "number"] if number else "string", "pattern": f"^{pattern}$", "examples": list(examples)}
    )


_NUMBER = r"-?\d+(\.\d+)?"

# Seconds as float: a duration is no quantity.
Duration = Annotated[float, BeforeValidator(_duration), _written(_DURATION.pattern, "250ms", "10s", "90d")]
Size = Annotated[int, BeforeValidator(_size), _written(_SIZE.pattern, "8MiB", "4GiB", 0, number=True)]
Rate = Annotated[Decimal, BeforeValidator(_rate), _written(rf"{_NUMBER}\s*/\s*(s|min|h)", "20/s", "600/min")]
Exact = Annotated[Decimal, BeforeValidator(_exact), _written(_NUMBER, 1000, "6.3", number=True)]
Ratio = Annotated[
    Fraction, PlainValidator(_ratio), _written(rf"{_NUMBER}(/{_NUMBER})?", 12, "0.001", "1/3", number=True)
]
Share = Annotated[Fraction, PlainValidator(_share), _written(rf"{_NUMBER}\s*%?", "1.5 %", 0.015, number=True)]
Portion = Annotated[Fraction, PlainValidator(_portion), _written(rf"{_NUMBER}\s*%?", "98 %", 0.98, number=True)]
# Seconds a second as float: an estimate of a clock's error, no quantity.
Drift = Annotated[float, BeforeValidator(_drift), _written(_DRIFT.pattern, "50 ppm")]
TimeOfDay = Annotated[time, PlainValidator(_time_of_day), _written(_TIME.pattern, "06:00")]
TimeZone = Annotated[str, AfterValidator(_zone)]
Moment = Annotated[datetime, PlainValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
ExistingPath = Annotated[Path, BeforeValidator(_existing), WithJsonSchema({"type": "string"})]
Text = Annotated[str, Field(min_length=1)]
Positive = Annotated[Exact, Field(gt=0)]
# Names stand in `DEVICE.signal`, in idempotency keys and HTTP headers, so they are plain words.
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class Secret(Settings):
    """A reference to a secret, never the secret itself: a file, an environment variable or a systemd credential."""

    file: ExistingPath | None = Field(default=None, description="relative to this folder")
    env: str | None = Field(default=None, description="name of an environment variable")
    credential: str | None = Field(default=None, description="name of a systemd credential (LoadCredential=)")

    @model_validator(mode="before")
    @classmethod
    def _never_literal(cls, data: Any) -> Any:
        # Refused here and without the value, because pydantic's own message would show it.
        if isinstance(data, Secret) or (isinstance(data, dict) and all(isinstance(one, str) for one in data.values())):
            return data
        raise ValueError("a secret never stands here itself; write {file: …}, {env: …} or {credential: …}")

    @model_validator(mode="after")
    def _exactly_one(self) -> "Secret":
        if sum(one is not None for one in (self.file, self.env, self.credential)) != 1:
            raise ValueError("a secret needs exactly one of file, env, credential")
        return self

    @property
    def path(self) -> Path | None:
        """The file it is read from; None for an environment variable."""
        if self.credential is None:
            return self.file
        return Path(os.environ.get("CREDENTIALS_DIRECTORY", "/run/credentials")) / self.credential

    def read(self) -> str:
        """Return the secret itself, without a trailing newline; ConfigError where it can't be had."""
        path = self.path
        if path is None:
            if self.env not in os.environ:
                raise ConfigError(f"environment variable {self.env} is not set", "it should carry a secret")
            return os.environ[str(self.env)]
        try:
            return path.read_text(encoding="utf-8").rstrip("\n")
        except OSError as error:
            raise ConfigError(f"secret {path} can't be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise ConfigError(f"secret {path} is no UTF-8 text") from error


class UserSettings(Settings):
    """Who we are to a server or broker."""

    name: str = Field(description="user name")
    password: Secret = Field(description="where the password is read from")
