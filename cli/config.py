"""Everything an operator may set, read once and frozen.

One optional ``journeyman.toml``; environment variables win over it, command line options over both. A key is
also readable from the environment as ``JOURNEYMAN_SECTION__KEY``. Secrets come from the environment only.
"""

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from typing_extensions import override

from bot.moderation.rules import RELAXABLE, Outcome, Sanctions
from cli.failures import USAGE, Failure
from cli.model_section import Model, in_order, problems_of
from cli.section import Section
from worker.accounts import Credits
from worker.api import Category, Limits
from worker.keep import Retention

FILE = "journeyman.toml"
PREFIX = "JOURNEYMAN_"  # of environment variables
ROOT = Path(__file__).resolve().parent.parent
HOST = re.compile(r"\*|(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+", re.IGNORECASE)
MISSPELT_SECRETS = ("token", "discord_token", "DISCORD_TOKEN", "bot_token")


def _named(path: object) -> object:
    if path == "":  # would mean the working folder
        raise ValueError("it must name a folder")
    return path


NonEmpty = Annotated[Path, BeforeValidator(_named)]


class Engine(Section):
    """``[engine]``: the device and how it is used."""

    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"  # auto: a graphics card where there is one
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"  # auto: what suits device and size
    threads: int | None = Field(default=None, ge=1, le=256)  # CPU threads; by default the cores we may use
    memory_gb: float | None = Field(default=None, gt=0)  # for checkpoints kept loaded; by default half of it
    offline: bool = False  # whether nothing is ever fetched from the hub


class Log(Section):
    """``[log]``: to standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"  # what is less is not told
    format: Literal["auto", "text", "json"] = "auto"  # auto: text on a terminal, JSON lines otherwise


class Moderation(Section):
    """``[moderation]``: what is not drawn, or not shown. Servers set the rest for themselves."""

    words: bool = True  # whether prompts pass the word lists
    pictures: Literal["auto", "off"] = "auto"  # auto: judged where the package is installed
    meaning: str = "auto"  # auto: judged where the package is installed; "off"; or a model's folder
    meaning_threshold: float = Field(default=0.45, ge=-1, le=1)  # cosine from which a prompt is too near
    picture: Outcome = Outcome.SPOILER  # what becomes of a picture that looks adult
    picture_threshold: float = Field(default=0.8, ge=0, le=1)  # score from which it does
    outcomes: Mapping[Category, Outcome] = Field(default_factory=dict)  # where they differ from ours
    nsfw: Mapping[Category, Outcome] = Field(default_factory=dict)  # in adult channels: sexual, shocking
    strikes: int = Field(default=3, ge=1)  # so many
    strike_days: float = Field(default=30, gt=0, le=3650)  # within so many days
    timeout_hours: float = Field(default=24, gt=0, le=87600)  # lead to a timeout of so many hours

    @field_validator("nsfw")
    @classmethod
    def _relaxable(cls, value: Mapping[Category, Outcome]) -> Mapping[Category, Outcome]:
        if value.keys() - RELAXABLE:
            raise ValueError("only sexual and shocking can differ in adult channels")
        return value

    @field_validator("picture")
    @classmethod
    def _no_strike(cls, value: Outcome) -> Outcome:
        if value is Outcome.STRIKE:
            raise ValueError("a picture is no strike: its person did not draw it")
        return value

    @property
    def sanctions(self) -> Sanctions:
        """What follows from strikes."""
        return Sanctions(strikes=self.strikes, days=self.strike_days, hours=self.timeout_hours)


class Monitor(Section):
    """``[monitor]``: ``/metrics``, ``/healthz`` and ``/readyz`` over HTTP; off where no port is named."""

    address: str = "127.0.0.1"  # another one only inside a container's own network
    bot: int | None = Field(default=None, ge=1, le=65535)  # port of the bot
    worker: int | None = Field(default=None, ge=1, le=65535)  # of the first worker; others take the next free


class Admin(Section):
    """``[admin]``: from where the installation is run."""

    servers: tuple[int, ...] = ()  # whose admins steer what all servers share; none: the only one there is


class Images(Section):
    """``[images]``: pictures that prompts name by their address."""

    hosts: tuple[str, ...] = ()  # from where, beside Discord: "example.org", "*.example.org", "*" for all

    @field_validator("hosts")
    @classmethod
    def _names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for host in value:
            if not HOST.fullmatch(host):
                raise ValueError(f"`{host}` is not the name of a host alone, such as example.org")
        return tuple(host.lower() for host in value)


class Settings(BaseSettings):
    """The whole configuration."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=PREFIX, env_nested_delimiter="__"
    )

    data: NonEmpty  # the data folder: database, pictures, locks
    discord_token: SecretStr | None = None  # from DISCORD_TOKEN
    discord_api: str | None = None  # REST base of a local Discord, as `journeyman playground` prints it
    model: Model = Model()
    models: tuple[Model, ...] = ()  # several checkpoints, each a `[[models]]` with the keys of `[model]`
    limits: Limits = Limits()  # for one person
    credits: Credits = Credits()  # what people, roles and servers may use
    engine: Engine = Engine()
    moderation: Moderation = Moderation()
    log: Log = Log()
    monitor: Monitor = Monitor()
    admin: Admin = Admin()
    images: Images = Images()
    retention: Retention = Retention()  # how long things are kept

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take arguments only: `load` is given the environment and reads it itself."""
        return (init_settings,)

    @field_validator("models")
    @classmethod
    def _distinct(cls, value: tuple[Model, ...]) -> tuple[Model, ...]:
        if found := problems_of(value):
            raise ValueError("; ".join(found))
        return value

    @property
    def checkpoints(self) -> tuple[Model, ...]:
        """What draws, the default first."""
        return in_order(self.models) or (self.model,)

    @property
    def token(self) -> str:
        """The bot token.

        Raises:
            Failure: None was given.
        """
        if self.discord_token is None or not self.discord_token.get_secret_value():
            raise Failure(
                "No bot token: set the environment variable DISCORD_TOKEN to the token from Discord's "
                "developer portal, or try `journeyman playground`, which needs none.",
                USAGE,
            )
        return self.discord_token.get_secret_value()


SECTIONS = tuple(
    name
    for name, field in Settings.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
)


class _Environment(EnvSettingsSource):
    """The environment as an argument."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(Settings)
        self.env_vars = {key.lower(): value for key, value in environ.items()}


def data_home(environ: Mapping[str, str]) -> Path:
    """Return the data folder where nothing is configured, after the XDG base directory specification."""
    home = Path(environ.get("HOME", "~")).expanduser()
    return Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share") / "journeyman"


def load(
    environ: Mapping[str, str],
    *,
    file: Path | None = None,
    options: Mapping[str, Any] | None = None,
    defaults: Mapping[str, Any] | None = None,
) -> Settings:
    """Return the settings.

    Args:
        environ: The process environment.
        file: The configuration file; by default ``journeyman.toml`` in the working folder, if it is there.
        options: What the command line says; None values count as not said.
        defaults: What this command sets where nobody says otherwise.

    Raises:
        Failure: Naming every problem of the file and the environment at once.
    """
    path = Path(FILE) if file is None else file
    values = _read(path, required=file is not None)
    problems = _secrets_in(values, path)
    values = _merged(dict(defaults or {"data": data_home(environ)}), values)
    values = _merged(values, _from(environ, problems))
    if environ.get("DISCORD_TOKEN"):
        values["discord_token"] = environ["DISCORD_TOKEN"]
    values = _merged(values, {key: value for key, value in (options or {}).items() if value is not None})
    if "model" in values and "models" in values:
        problems.append("  model: with [[models]] there is no [model]; make it one more [[models]]")
    try:
        settings = Settings(**values)
    except ValidationError as error:
        errors = [each for each in error.errors() if each["loc"][0] not in MISSPELT_SECRETS]
        problems += [_problem(each) for each in errors]
        settings = None
    if problems or settings is None:
        raise Failure(f"The configuration ({path}, environment) has mistakes:\n" + "\n".join(problems), USAGE)
    return settings.model_copy(update={"data": settings.data.expanduser().absolute()})


def _from(environ: Mapping[str, str], problems: list[str]) -> dict[str, Any]:
    """Return what the environment sets, and add what is wrong with it to *problems*."""
    ours = {key: value for key, value in environ.items() if key.upper().startswith(PREFIX)}
    known: dict[str, str] = {}
    for key, value in ours.items():
        name = key.upper().removeprefix(PREFIX).split("__")[0].lower()
        if name in Settings.model_fields and not (name in SECTIONS and "__" not in key):
            known[key] = value
        else:
            problems.append(_unknown(key.removeprefix(PREFIX).lower().replace("__", "."), f"  {key}"))
    return _Environment(known)()


def _read(path: Path, *, required: bool) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if required:
            raise Failure(f"There is no configuration file {path}.", USAGE) from None
        return {}
    except tomllib.TOMLDecodeError as error:
        raise Failure(f"{path} is not valid TOML: {error}.", USAGE) from None
    except UnicodeDecodeError:
        raise Failure(f"{path} is not UTF-8 text.", USAGE) from None


def _secrets_in(values: dict[str, Any], path: Path) -> list[str]:
    """Return a problem for every token written into the file, where backups would carry it off."""
    return [
        f"  {key}: the bot token does not belong into {path}; set the environment variable DISCORD_TOKEN"
        for key in MISSPELT_SECRETS
        if key in values
    ]


def _merged(under: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            merged[key] = _merged(dict(below), value)
        else:
            merged[key] = value
    return merged


def known_keys() -> tuple[str, ...]:
    """Return every key of the file, sections dotted, in the order of the documentation."""
    keys: list[str] = []
    for name, field in Settings.model_fields.items():
        if name in SECTIONS:
            keys += [f"{name}.{inner}" for inner in getattr(field.annotation, "model_fields", ())]
        elif name not in MISSPELT_SECRETS:
            keys.append(name)
    return tuple(keys)


def _problem(error: ErrorDetails) -> str:
    # The entries of a list count from 1, as people count.
    key = ".".join(str(part + 1) if isinstance(part, int) else part for part in error["loc"])
    if error["loc"] == ("data",):
        return "  data: it must name a folder"
    if error["type"] != "extra_forbidden":
        shown = error["input"] if isinstance(error["input"], str | int | float | bool) else ""
        found = f" (it is {shown!r})" if shown != "" else ""
        return f"  {key}: {error['msg'][:1].lower()}{error['msg'][1:]}{found}"
    return _unknown(key, f"  {key}")


def _unknown(key: str, shown: str) -> str:
    known: tuple[str, ...] = (*SECTIONS, *known_keys())
    if (entry := re.match(r"models\.\d+\.", key)) and key.count(".") == 2:  # noqa: PLR2004 - list, number, key
        known = tuple(f"{entry[0]}{name}" for name in Model.model_fields)
    near = difflib.get_close_matches(key, known, n=1)
    return f"{shown}: there is no such setting" + (f"; did you mean {near[0]}?" if near else "")
