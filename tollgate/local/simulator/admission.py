"""Who may be served by which deployment: keys, names, faults, quotas, spillover."""

from dataclasses import dataclass
from hmac import compare_digest

from tollgate.local.simulator.exchanges import Exchange
from tollgate.local.simulator.fault_answers import (
    exceeded,
    http_error,
    operation_sentence,
    rate_limited,
    throttled,
    wait_headers,
)
from tollgate.local.simulator.faults import HttpError, Throttle
from tollgate.local.simulator.refusals import (
    Refusal,
    access_denied,
    deployment_not_found,
    operation_not_supported,
)
from tollgate.local.simulator.reply_headers import served_headers
from tollgate.local.simulator.routes import Route
from tollgate.local.simulator.settings import RegionSettings, SimulatedDeployment
from tollgate.local.simulator.token_limits import TokenLimits

_SPILLED_STATUSES = {429, 500, 503}


@dataclass(frozen=True, slots=True)
class Server:
    """A deployment and its name."""

    name: str
    deployment: SimulatedDeployment


class Admission:
    """Decides which deployment of a region serves a call, if any.

    Args:
        settings: The region.
    """

    def __init__(self, settings: RegionSettings) -> None:
        self._settings = settings
        self._limits = TokenLimits()

    def authorise(self, exchange: Exchange) -> None:
        """Checks the key.

        Raises:
            Refusal: 401, there is none or it is not one of the region's.
        """
        scheme, _, bearer = exchange.headers.get("authorization", "").partition(" ")
        given = [exchange.headers.get("api-key", "")]
        given += [bearer.strip()] if scheme.lower() == "bearer" else []
        matches = [
            compare_digest(key.encode(), one.encode("utf-8", "surrogateescape"))
            for key in self._settings.keys
            for one in given
        ]
        if not any(matches):
            raise access_denied()

    def named(self, name: str | None, route: Route) -> Server:
        """The deployment that a request names.

        Raises:
            Refusal: 404, there is none; 400, its model cannot do what the path asks for.
        """
        deployment = self._settings.deployments.get(name or "")
        if name is None or deployment is None:
            raise deployment_not_found()
        if deployment.embeds != (route.operation == "embeddings"):
            raise operation_not_supported(route.operation, deployment.model)
        return Server(name, deployment)

    def admit(self, exchange: Exchange, server: Server, route: Route, tokens: int) -> Server:
        """The deployment that serves: the one asked for, or the one that it spills over to.

        Args:
            exchange: The call; its reply headers and times are completed.
            server: The deployment asked for.
            route: What is asked for.
            tokens: Estimate of the tokens that the call takes.

        Raises:
            Refusal: 429 or an error, by fault or by quota, and there is no spillover.
        """
        try:
            self.raise_fault(exchange, server.name, server.deployment.model)
            self._count(exchange, server, route, tokens)
        except Refusal as refusal:
            spare = self._spillover(exchange, server, route)
            if spare is None or refusal.status not in _SPILLED_STATUSES:
                raise
            self._count(exchange, spare, route, tokens)
            return self._serve(exchange, spare, server.name)
        return self._serve(exchange, server, server.name)

    def raise_fault(self, exchange: Exchange, name: str = "", model: str = "") -> None:
        """Raises the 429 or the error that a fault asks for.

        Raises:
            Refusal: What the fault says.
        """
        if throttle := exchange.applied.first(Throttle):
            limit = "token" if throttle.reason == "tokens" else "request"
            sentence = exceeded(name, model, self._settings.label, limit)
            raise throttled(throttle, sentence, exchange.at)
        if error := exchange.applied.first(HttpError):
            raise http_error(error)

    def _count(self, exchange: Exchange, server: Server, route: Route, tokens: int) -> None:
        quota = self._limits.admit(server.name, server.deployment, tokens, exchange.at)
        exchange.reply_headers |= quota.headers()
        if quota.retry_after_s is None:
            return
        sentence = exceeded(server.name, server.deployment.model, self._settings.label)
        request = operation_sentence(route.operation, route.api_version)
        headers = wait_headers(quota.retry_after_s)
        raise rate_limited(f"{sentence} {request}", quota.retry_after_s, headers)

    def _spillover(self, exchange: Exchange, server: Server, route: Route) -> Server | None:
        asked = exchange.headers.get("x-ms-spillover-deployment")
        name = server.deployment.spillover or asked
        if name is None or route.operation == "responses":
            return None
        deployment = self._settings.deployments.get(name)
        return None if deployment is None else Server(name, deployment)

    def _serve(self, exchange: Exchange, server: Server, asked_for: str) -> Server:
        exchange.entry.served_by = server.name
        exchange.reply_headers |= served_headers(
            self._settings, server.name, server.deployment, asked_for
        )
        exchange.first_byte_s = server.deployment.first_byte_s
        exchange.between_frames_s = server.deployment.between_frames_s
        return server
