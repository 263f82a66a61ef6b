"""Settings of the HTTP service: where it listens, how much it lets in, and how senders of webhooks prove themselves.

Belongs here: names and defaults below SERVICE__. Does not: reading them (`orchestration/settings.py`).
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field, SecretStr, field_validator


class WebhookSettings(BaseModel):
    """How one sender of webhooks proves who he is. None of the vendors signs by itself."""

    auth: Literal["standard-webhooks", "hmac-header", "bearer", "basic", "path-token", "disabled"] = "path-token"
    secret: SecretStr | None = Field(default=None, description="token, user:password, or signing secret (whsec_…)")
    old_secret: SecretStr | None = Field(
        default=None, description="still good while the sender is moved to the new one"
    )
    header: str | None = Field(default=None, description="header of the signature or token, where it has its own")

    def secrets(self) -> list[str]:
        """Every secret that is good now, the new one first; none: nobody is let in."""
        return [one.get_secret_value() for one in (self.secret, self.old_secret) if one and one.get_secret_value()]


class HookSettings(BaseModel):
    """Whom we may tell of changes by webhook."""

    is_private_allowed: bool = Field(
        default=False, description="also http and addresses of private networks, for receivers beside this service"
    )
    connect_s: float = Field(default=5, gt=0, description="seconds to reach a receiver")
    answer_s: float = Field(default=15, gt=0, description="seconds that a receiver may take for its answer")


def _webhooks() -> dict[str, WebhookSettings]:
    return {
        "apollo": WebhookSettings(auth="path-token"),
        "zoominfo": WebhookSettings(auth="bearer"),
        "uplead": WebhookSettings(auth="disabled"),  # UpLead sends nothing
        "halopsa": WebhookSettings(auth="basic"),
    }


class ServiceSettings(BaseModel):
    host: str = Field(default="127.0.0.1", description="address of the HTTP service; another needs a key to exist")
    calls_per_minute: int = Field(default=1_200, ge=1, description="calls a minute that each key may make")
    connections_max: int = Field(default=200, ge=1, description="connections at once; beyond it 503")
    trusted_proxies: list[str] = Field(default=[], description="JSON list of reverse proxies whose X-Forwarded-* count")
    webhooks: dict[str, WebhookSettings] = Field(default_factory=_webhooks, description="senders, by name")
    hooks: HookSettings = Field(default=HookSettings(), description="outgoing webhooks")
    fresh_hours: float = Field(default=24, gt=0, description="/readyz fails when no run ended well for so long")

    @field_validator("webhooks", mode="before")
    @classmethod
    def _known_ways(cls, given: dict[str, Any]) -> dict[str, Any]:
        """A known sender for whom only a secret is set keeps the way that is his."""
        known = {name: {"auth": settings.auth} for name, settings in _webhooks().items()}
        told = {
            name: one if isinstance(one, dict) else one.model_dump(exclude_unset=True) for name, one in given.items()
        }
        return {name: {**known.get(name, {}), **told.get(name, {})} for name in {**known, **told}}
