"""Who pays: the authenticated key or subscription, checked against what the caller claims."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Final, Literal

import msgspec

from tollgate.proxy.billing_parameters import Claims, read_claim
from tollgate.proxy.messages import Request
from tollgate.proxy.refusals import Refusal

UNALLOCATED: Final = "unallocated"
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class Tenant(msgspec.Struct, frozen=True, kw_only=True):
    """A payer and how it is recognised; see Contract 3 of the design."""

    name: str
    aliases: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    subscriptions: tuple[str, ...] = ()
    billing_codes: tuple[str, ...] = ()
    priority: Literal["high", "low"] | None = None


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who calls: by its own key, or by its subscription behind a trusted caller."""

    tenant: Tenant
    subscription: str | None = None
    trusted: bool = False


class Payer(msgspec.Struct, frozen=True, kw_only=True):
    """Who a request is charged to."""

    tenant: str
    billing_code: str | None = None
    user: str | None = None
    subscription: str | None = None
    priority: Literal["high", "low"] | None = None


NOBODY: Final = Payer(tenant=UNALLOCATED)


class Directory:
    """Finds the payer of a request.

    Args:
        tenants: All tenants; their keys are `sha256:` and the hex digest of a client key.
        trusted_callers: Digests of the keys of those who may speak for callers.
        reject_unknown_codes: Refuse an unknown or missing billing code, else book it unallocated.
        new_id: Makes the gateway's own request ids.
    """

    def __init__(
        self,
        tenants: Iterable[Tenant],
        *,
        trusted_callers: Iterable[str] = (),
        reject_unknown_codes: bool = False,
        new_id: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self._tenants = list(tenants)
        self._by_key = {key: tenant for tenant in self._tenants for key in tenant.keys}
        self._by_subscription = {
            name: tenant for tenant in self._tenants for name in tenant.subscriptions
        }
        self._trusted = frozenset(trusted_callers)
        self._reject_unknown_codes = reject_unknown_codes
        self._new_id = new_id

    def is_trusted(self, request: Request) -> bool:
        """Whether the request comes from a gateway that speaks for its callers."""
        return any(digest in self._trusted for digest in _key_digests(request))

    def request_id(self, request: Request) -> str:
        """The id of a request: ours, or that of a trusted caller; never a client's."""
        if self.is_trusted(request):
            given = request.header("x-tollgate-request-id") or ""
            if _REQUEST_ID.fullmatch(given):
                return given
        return self._new_id()

    def authenticate(self, request: Request) -> Caller:
        """Find out who calls.

        Raises:
            Refusal: 401 for an unknown key or subscription.
        """
        if self.is_trusted(request):
            subscription = request.header("x-tollgate-subscription") or ""
            tenant = self._by_subscription.get(subscription)
            if tenant is None:
                raise _unknown_caller()
            return Caller(tenant=tenant, subscription=subscription, trusted=True)
        tenants = {
            tenant.name: tenant
            for digest in _key_digests(request)
            if (tenant := self._by_key.get(digest))
        }
        if len(tenants) != 1:
            raise _unknown_caller()
        return Caller(tenant=tenants.popitem()[1])

    def payer(self, caller: Caller, claims: Claims) -> Payer:
        """Who the call is charged to, when the claims agree with the caller.

        Raises:
            Refusal: 403 for a company or a billing code that is not the caller's.
        """
        tenant = caller.tenant
        names = {name.casefold() for name in (tenant.name, *tenant.aliases)}
        if claims.company is not None and claims.company.casefold() not in names:
            raise Refusal(
                403,
                "company_mismatch",
                "companyName does not name the company that this key belongs to.",
                param="companyName",
            )
        return Payer(
            tenant=tenant.name,
            billing_code=self._billing_code(tenant, claims.billing_code),
            user=claims.user,
            subscription=caller.subscription,
            priority=tenant.priority,
        )

    def _billing_code(self, tenant: Tenant, claimed: str | None) -> str | None:
        codes = {code.casefold(): code for code in tenant.billing_codes}
        code = codes.get(claimed.casefold()) if claimed else None
        if code is None and self._reject_unknown_codes:
            raise Refusal(
                403,
                "unknown_billing_code",
                "billingCode is missing or is not one of your company's billing codes.",
                param="billingCode",
            )
        return code


def _key_digests(request: Request) -> list[str]:
    """The digests of the keys in the three headers that clients use."""
    keys: list[str] = []
    for name, value in request.headers:
        if name == "authorization":
            scheme, _, token = value.strip().partition(" ")
            keys += [token.strip()] if scheme.lower() == "bearer" else []
        elif name in {"api-key", "ocp-apim-subscription-key"}:
            keys.append(value.strip())
    return [f"sha256:{sha256(key.encode()).hexdigest()}" for key in keys if key]


def forwarded_claims(request: Request) -> Claims:
    """The claims that a trusted caller passes on in its headers, percent-encoded UTF-8.

    Raises:
        Refusal: 400 if one is too long, is not UTF-8, or holds control characters.
    """

    def claim(name: str) -> str | None:
        header = f"x-tollgate-{name}"
        return read_claim(header, request.header(header) or "")

    return Claims(user=claim("user"), company=claim("company"), billing_code=claim("billing-code"))


def _unknown_caller() -> Refusal:
    return Refusal(
        401,
        "invalid_api_key",
        "The key is missing or unknown. Send it as Authorization: Bearer, api-key or "
        "Ocp-Apim-Subscription-Key.",
    )
