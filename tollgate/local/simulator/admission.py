"""Who may be served by which deployment: keys, names, faults, quotas, spillover."""

from dataclasses import dataclass
from hmac import compare_digest

from tollgate.local.simulator.deployments import StandingDeployments
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
from tollgate.local.simulator.model_families import can_do
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


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a request may take, estimated on its arrival.

    Attributes:
        prompt_tokens: Tokens of the prompt.
        answer_tokens: Most tokens of the answers; 0 where no text is generated.
    """

    prompt_tokens: int
    answer_tokens: int = 0

    def counted_by(self, deployment: SimulatedDeployment) -> int:
        """The tokens that the deployment's quota counts."""
        if deployment.quota_counts == "answer" and self.answer_tokens:
            return self.answer_tokens
        return self.prompt_tokens + self.answer_tokens


class Admission:
    """Decides which deployment of a region serves a call, if any.

    Args:
        settings: The region.
        deployments: Its deployments; they change while the region runs.
    """

    def __init__(self, settings: RegionSettings, deployments: StandingDeployments) -> None:
        self._settings = settings
        self._deployments = deployments
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
        deployment = self._deployments.named(name)
        if name is None or deployment is None:
            raise deployment_not_found()
        if not can_do(deployment.model, route.operation):
            raise operation_not_supported(route.operation, deployment.model)
        return Server(name, deployment)

    def admit(self, exchange: Exchange, server: Server, route: Route, estimate: Estimate) -> Server:
        """The deployment that serves: the one asked for, or the one that it spills over to.

        Args:
            exchange: The call; its reply headers and times are completed.
            server: The deployment asked for.
            route: What is asked for.
            estimate: The tokens that the call may take.

        Raises:
            Refusal: 429 or an error, by fault or by quota, and there is no spillover.
        """
        try:
            self.raise_fault(exchange, server.name, server.deployment.model)
            self._count(exchange, server, route, estimate)
        except Refusal as refusal:
            spare = self._spillover(exchange, server, route)
            if spare is None or refusal.status not in _SPILLED_STATUSES:
                raise
            self._count(exchange, spare, route, estimate)
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

    def _count(self, exchange: Exchange, server: Server, route: Route, estimate: Estimate) -> None:
        deployment = server.deployment
        tokens = estimate.counted_by(deployment)
        quota = self._limits.admit(server.name, deployment, tokens, exchange.at)
        exchange.reply_headers |= quota.headers()
        if quota.retry_after_s is None:
            return
        limit = "request" if quota.exceeded == "requests" else "token"
        sentence = exceeded(server.name, deployment.model, self._settings.label, limit)
        request = operation_sentence(route.operation, route.api_version)
        headers = wait_headers(quota.retry_after_s) | quota.reset_header()
        raise rate_limited(f"{sentence} {request}", quota.retry_after_s, headers)

    def _spillover(self, exchange: Exchange, server: Server, route: Route) -> Server | None:
        asked = exchange.headers.get("x-ms-spillover-deployment")
        name = server.deployment.spillover or asked
        if name is None or route.operation == "responses":
            return None
        deployment = self._deployments.named(name)
        if deployment is None or not can_do(deployment.model, route.operation):
            return None
        return Server(name, deployment)

    def _serve(self, exchange: Exchange, server: Server, asked_for: str) -> Server:
        exchange.entry.served_by = server.name
        exchange.reply_headers |= served_headers(
            self._settings, server.name, server.deployment, asked_for
        )
        exchange.first_byte_s = server.deployment.first_byte_s
        exchange.between_frames_s = server.deployment.between_frames_s
        exchange.token_latency_s = server.deployment.token_latency_ms / 1000
        return server
