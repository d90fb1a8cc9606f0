"""Who pays: the authenticated key or subscription, checked against what the caller claims."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Container, Iterable
from hashlib import sha256
from typing import Final, Literal

import msgspec

from tollgate.proxy.billing_parameters import Claims, read_claim
from tollgate.proxy.messages import Request
from tollgate.proxy.refusals import Refusal

UNALLOCATED: Final = "unallocated"
# Not as the event of an attempt is named (`.a1`, see metering): they must never be the same.
_REQUEST_ID: Final = re.compile(r"(?!.*\.a[0-9]+$)[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class Tenant(msgspec.Struct, frozen=True, kw_only=True):
    """A payer and how it is recognised; see Contract 3 of the design."""

    name: str
    aliases: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    subscriptions: tuple[str, ...] = ()
    billing_codes: tuple[str, ...] = ()
    priority: Literal["high", "low"] | None = None
    region: str | None = None
    concurrent_requests: int | None = None


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
        under_way: The ids of the requests under way, which are given to no other one.

    Attributes:
        new_id: Makes an id.
    """

    def __init__(
        self,
        tenants: Iterable[Tenant],
        *,
        trusted_callers: Iterable[str] = (),
        reject_unknown_codes: bool = False,
        new_id: Callable[[], str] | None = None,
        under_way: Container[str] = frozenset(),
    ) -> None:
        self._tenants = list(tenants)
        self._by_key = {key: tenant for tenant in self._tenants for key in tenant.keys}
        self._by_subscription = {
            name: tenant for tenant in self._tenants for name in tenant.subscriptions
        }
        self._names = {
            tenant.name: {name.casefold() for name in (tenant.name, *tenant.aliases)}
            for tenant in self._tenants
        }
        self._codes = {
            tenant.name: {code.casefold(): code for code in tenant.billing_codes}
            for tenant in self._tenants
        }
        self._trusted = frozenset(trusted_callers)
        self._reject_unknown_codes = reject_unknown_codes
        self.new_id = new_id or RandomIds()
        self._under_way = under_way

    def identify(self, request: Request) -> tuple[str, Caller | None]:
        """The request's id, ours or that of a trusted caller, never a client's; and who calls.

        An id that a trusted caller may not choose is replaced by one of ours: what the request
        uses is counted under it, and the answer's `x-request-id` says it.

        The caller is None for an unknown key or subscription.
        """
        digests = _key_digests(request)
        if not self._trusted.isdisjoint(digests):
            return self._speaks_for_others(request)
        tenants = {
            tenant.name: tenant for digest in digests if (tenant := self._by_key.get(digest))
        }
        caller = Caller(tenant=tenants.popitem()[1]) if len(tenants) == 1 else None
        return self.new_id(), caller

    def _speaks_for_others(self, request: Request) -> tuple[str, Caller | None]:
        given = request.header("x-tollgate-request-id") or ""
        is_free = given not in self._under_way and _REQUEST_ID.fullmatch(given)
        request_id = given if is_free else self.new_id()
        subscription = request.header("x-tollgate-subscription") or ""
        tenant = self._by_subscription.get(subscription)
        if tenant is None:
            return request_id, None
        return request_id, Caller(tenant=tenant, subscription=subscription, trusted=True)

    def payer(self, caller: Caller, claims: Claims) -> Payer:
        """Who the call is charged to, when the claims agree with the caller.

        Raises:
            Refusal: 403 for a company or a billing code that is not the caller's.
        """
        tenant = caller.tenant
        names = self._names[tenant.name]
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
        code = self._codes[tenant.name].get(claimed.casefold()) if claimed else None
        if code is None and self._reject_unknown_codes:
            raise Refusal(
                403,
                "unknown_billing_code",
                "billingCode is missing or is not one of your company's billing codes.",
                param="billingCode",
            )
        return code


class RandomIds:
    """Makes ids of 128 random bits; the system is asked for many of them at once."""

    _ID_BYTES = 16
    _AT_ONCE = 256

    def __init__(self) -> None:
        self._ready: list[str] = []

    def __call__(self) -> str:
        """An id that nobody can guess."""
        if not self._ready:
            random = secrets.token_hex(self._ID_BYTES * self._AT_ONCE)
            digits = 2 * self._ID_BYTES
            self._ready = [random[at : at + digits] for at in range(0, len(random), digits)]
        return self._ready.pop()


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


def unknown_caller() -> Refusal:
    """401 for an unknown key or subscription."""
    return Refusal(
        401,
        "invalid_api_key",
        "The key is missing or unknown. Send it as Authorization: Bearer, api-key or "
        "Ocp-Apim-Subscription-Key.",
    )
