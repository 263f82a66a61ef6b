"""One place for configuration and secrets: environment variables and the git-ignored file `.env`.

Belongs here: names, defaults and the remedy for each missing value. Does not: reading any of it elsewhere; every other
module is handed what it needs. `.env.template` lists the names; a test keeps it equal to this module.
Surprise: a vendor without a key is not an error but "not configured"; it becomes one when somebody asks for it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Literal

from assets.publishing.rules import Rules as PublishingRules
from assets.publishing.rules import RulesError as PublishingRulesError
from assets.publishing.rules import load_rules as load_publishing_rules
from assets.publishing.rules import shipped_rules as shipped_publishing_rules
from assets.publishing.stores import is_postgresql, sqlite_path
from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableSetting
from transforms.survivorship.rules import Rules, RulesError, load_rules, shipped_rules

from orchestration.alerting.settings import AlertSettings
from orchestration.service.settings import ServiceSettings

PROJECT_ROOT = Path(__file__).resolve().parent.parent
VENDORS = ("apollo", "zoominfo", "uplead")
JSON_SETTINGS = (
    "ENRICHMENT__ORDER",
    "SOURCES__APOLLO__QUERY",
    "SOURCES__UPLEAD__DOMAINS",
    "SERVICE__TRUSTED_PROXIES",
    "ALERTS__URLS",
)  # the only ones that are written as JSON


_LEGACY_ZOOMINFO = ("username", "password")


class SettingsError(Exception):
    """A setting is missing or wrong; the text is one line with the remedy. Exit code 2."""


class FeedSettings(BaseModel):
    prospects: bool = Field(default=False, description="on: organisations that HaloPSA lacks are told as prospects")


class EnrichmentSettings(BaseModel):
    order: list[str] = Field(
        default=["apollo", "uplead"],
        description="JSON list: whom a question of a helpdesk is put to, one after another",
    )
    credits_a_day: float | None = Field(default=None, ge=0, description="no new questions once so much is spent today")

    @field_validator("order")
    @classmethod
    def _askable(cls, order: list[str]) -> list[str]:
        """ZoomInfo reads what is watched and cannot be asked about a domain."""
        wrong = [name for name in order if name not in ("apollo", "uplead")]
        if wrong:
            raise ValueError("only apollo and uplead can be asked about a company")
        return list(dict.fromkeys(order))


class VendorSettings(BaseModel):
    credits_a_day: float | None = Field(
        default=None, ge=0, description="hard budget of a day (UTC); 0: free calls only, empty: no limit of ours"
    )


class ApolloSettings(VendorSettings):
    base_url: str = "https://api.apollo.io"
    api_key: SecretStr | None = Field(default=None, description="Apollo: Settings > Integrations > API keys")
    query: dict[str, Any] = Field(default={}, description="JSON object of Apollo's people filters: whom to buy")
    credits_max: float | None = Field(default=None, ge=0, description="most credits to spend in one run")
    saved: bool = Field(default=False, description="on: also what the team has saved in Apollo; costs no credits")
    paid_life_days: float = Field(
        default=0, ge=0, description="days in which a person is not bought again, changed or not"
    )


class ZoomInfoSettings(VendorSettings):
    base_url: str = "https://api.zoominfo.com"
    client_id: str | None = Field(default=None, description="ZoomInfo DevPortal: client credentials of the app")
    client_secret: SecretStr | None = Field(default=None, description="ZoomInfo DevPortal: secret of the app")
    surface: Literal["gtm", "legacy"] = Field(default="gtm", description="gtm, or legacy with username and password")
    username: str | None = Field(default=None, description="ZoomInfo: user of the legacy API")
    password: SecretStr | None = Field(default=None, description="ZoomInfo: password of that user")


class UpLeadSettings(VendorSettings):
    base_url: str = "https://api.uplead.com"
    api_key: SecretStr | None = Field(default=None, description="UpLead: Account > API key")
    domains: list[str] = Field(default=[], description="JSON list of watched domains; empty walks all (Professional)")


class HaloSettings(BaseModel):
    base_url: str | None = Field(default=None, description="such as https://TENANT.halopsa.com")
    tenant: str | None = Field(default=None, description="name of the tenant")
    client_id: str | None = Field(default=None, description="HaloPSA: API application (client credentials)")
    client_secret: SecretStr | None = Field(default=None, description="HaloPSA: secret of that application")
    calls_per_window: int = Field(default=240, ge=1, description="80 % of Halo's 300; people need the rest")
    toplevel_id: int = Field(default=1, description="parent group of new clients")


class Sources(BaseModel):
    apollo: ApolloSettings = ApolloSettings()
    zoominfo: ZoomInfoSettings = ZoomInfoSettings()
    uplead: UpLeadSettings = UpLeadSettings()
    halopsa: HaloSettings = HaloSettings()


class Settings(BaseSettings):
    """All settings; nested names are joined with two underscores: SOURCES__APOLLO__API_KEY."""

    model_config = SettingsConfigDict(env_nested_delimiter="__", extra="ignore", populate_by_name=True)

    data: Path = Field(default=PROJECT_ROOT / "data", alias="HALOSYNC_DATA", description="folder of all state")
    ledger_url: str | None = Field(
        default=None,
        alias="LEDGER_URL",
        pattern=r"^(sqlite:///|postgresql(\+psycopg)?://).",
        description="SQLAlchemy URL, sqlite or postgresql; default: in the folder",
    )
    engine_url: Literal["duckdb"] | None = Field(default=None, alias="ENGINE_URL", description="only duckdb for now")
    lock_wait_s: float = Field(default=60, alias="WAREHOUSE_LOCK_WAIT_S", ge=0, description="wait for the warehouse")
    survivorship_file: Path | None = Field(
        default=None, alias="SURVIVORSHIP_FILE", description="rules that replace the shipped survivorship.toml"
    )
    publishing_file: Path | None = Field(
        default=None, alias="PUBLISHING_FILE", description="what differs from the shipped publishing.toml"
    )
    sources: Sources = Field(default=Sources(), alias="SOURCES")
    enrichment: EnrichmentSettings = Field(default=EnrichmentSettings(), alias="ENRICHMENT")
    feed: FeedSettings = Field(default=FeedSettings(), alias="FEED")
    service: ServiceSettings = Field(default=ServiceSettings(), alias="SERVICE")
    alerts: AlertSettings = Field(default=AlertSettings(), alias="ALERTS")

    @property
    def data_root(self) -> Path:
        return self.data.expanduser().resolve()

    @property
    def warehouse(self) -> Path:
        return self.data_root / "warehouse.duckdb"

    @property
    def inspection_copy(self) -> Path:
        return self.data_root / "inspect.duckdb"

    @property
    def ledger(self) -> str:
        return self.ledger_url or f"sqlite:///{self.data_root / 'ledger.sqlite'}"

    @property
    def ledger_home(self) -> Path:
        """The folder of the files that belong to the ledger: beside an SQLite file, else that of the data."""
        return self.data_root if is_postgresql(self.ledger) else sqlite_path(self.ledger).parent

    def survivorship_rules(self) -> Rules:
        """The user's rules, else the shipped ones.

        Raises:
            SettingsError: the file is unreadable or wrong.
        """
        if self.survivorship_file is None:
            return shipped_rules()
        try:
            return load_rules(self.survivorship_file.expanduser())
        except RulesError as error:
            raise SettingsError(
                f"Setting SURVIVORSHIP_FILE: {error} Mend the file, or unset the setting to use the shipped rules."
            ) from error

    def publishing_rules(self) -> PublishingRules:
        """The shipped rules, with what the user's file says instead.

        Raises:
            SettingsError: the file is unreadable or wrong.
        """
        if self.publishing_file is None:
            return shipped_publishing_rules()
        try:
            return load_publishing_rules(self.publishing_file.expanduser())
        except PublishingRulesError as error:
            raise SettingsError(
                f"Setting PUBLISHING_FILE: {error} Mend the file, or unset the setting to use the shipped rules."
            ) from error

    def missing(self, source: str) -> list[str]:
        """Names of the settings that a source still lacks; empty where it is configured."""
        required = {
            "apollo": ("api_key",),
            "zoominfo": ("client_id", "client_secret") if self.sources.zoominfo.surface == "gtm" else _LEGACY_ZOOMINFO,
            "uplead": ("api_key",),
            "halopsa": ("base_url", "tenant", "client_id", "client_secret"),
        }[source]
        part = getattr(self.sources, source)
        return [f"SOURCES__{source.upper()}__{name.upper()}" for name in required if not getattr(part, name)]

    def configured(self) -> list[str]:
        """The vendors whose keys are there."""
        return [vendor for vendor in VENDORS if not self.missing(vendor)]

    def require(self, source: str, *, why: str) -> None:
        """Refuse to go on without a source's settings.

        Raises:
            SettingsError: naming the first missing setting, where to get it and what works without it.
        """
        missing = self.missing(source)
        if missing:
            name = missing[0]
            field = type(getattr(self.sources, source)).model_fields[name.rsplit("__", 1)[1].lower()]
            raise SettingsError(f"Setting {name} is missing; {why} Set it in .env ({field.description}).")

    def as_environment(self) -> dict[str, str]:
        """Accounts and rules as environment variables, secrets in clear: for child processes only, never printed."""
        found = {} if self.publishing_file is None else {"PUBLISHING_FILE": str(self.publishing_file)}
        for source, part in self.sources:
            for name, value in part:
                if value is None or value == type(part).model_fields[name].default:
                    continue
                text = value.get_secret_value() if isinstance(value, SecretStr) else value
                key = f"SOURCES__{source.upper()}__{name.upper()}"
                found[key] = json.dumps(text) if isinstance(text, list | dict) else str(text)
        return found

    def prepare(self) -> None:
        """Make the data folders, closed to others.

        Raises:
            SettingsError: the folder cannot be made or written.
        """
        try:
            for folder in ("", "archive", "feed", "reports", "exports", "dagster", "dlt"):
                (self.data_root / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
            for vendor in VENDORS:
                (self.data_root / "exports" / vendor).mkdir(exist_ok=True)
        except OSError as error:
            raise SettingsError(_unwritable(self.data_root, error.strerror)) from error
        if not os.access(self.data_root, os.W_OK):
            raise SettingsError(_unwritable(self.data_root, "no write permission"))


def load(env_file: Path | None = PROJECT_ROOT / ".env") -> Settings:
    """Settings from the environment, then from `.env`.

    Raises:
        SettingsError: a value has the wrong form (names the variable and what was expected, never the value), or the
            rules file is wrong.
    """
    try:
        settings = Settings(_env_file=env_file)  # type: ignore[call-arg]
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = "__".join(str(part).upper() for part in first["loc"])
        raise SettingsError(f"Setting {name} is wrong: {first['msg']}. Mend it in .env or the environment.") from error
    except UnreadableSetting as error:
        # Raised before there are settings, and it names the whole group alone.
        raise SettingsError(
            f"Setting {' or '.join(JSON_SETTINGS)} is wrong: it is no JSON. Mend it in .env or the environment."
        ) from error
    settings.survivorship_rules()  # a wrong rules file stops the run before anything is bought
    settings.publishing_rules()
    return settings


def _unwritable(folder: Path, reason: str | None) -> str:
    return f"Cannot write to the data folder {folder}: {reason}. Set HALOSYNC_DATA to a folder that you may write."
