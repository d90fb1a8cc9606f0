"""The policies that may stand in a document: where, with which attributes, around which parts.

Only what the product uses is listed: anything else in a document is an error. Source: the reference
page of each policy under learn.microsoft.com/azure/api-management.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from policies import policy_limits
from policies.documents import Expression, Step
from policies.expression_ends import Unreadable

SECTIONS: Final = ("inbound", "backend", "outbound", "on-error")
MAX_POLICY_BYTES: Final = 256 * 1024
MAX_FRAGMENT_BYTES: Final = 512 * 1024
_EVERYWHERE: Final = frozenset(SECTIONS)
_REQUEST: Final = frozenset({"inbound", "backend"})
_INBOUND: Final = frozenset({"inbound"})


@dataclass(frozen=True)
class Form:
    """What an element looks like.

    Args:
        sections: Where it may stand; for a part of a policy, everywhere.
        required: Attributes that it must have.
        optional: Attributes that it may have.
        literal: Those of them that take no expression.
        parts: Elements within that belong to it.
        has_text: Whether it says something between its tags.
        has_policies: Whether it holds policies.
    """

    sections: frozenset[str] = _EVERYWHERE
    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    literal: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()
    has_text: bool = False
    has_policies: bool = False


def _form(  # noqa: PLR0913  each says one thing of an element
    required: str = "",
    optional: str = "",
    *,
    sections: frozenset[str] = _EVERYWHERE,
    literal: str = "",
    parts: str = "",
    has_text: bool = False,
    has_policies: bool = False,
) -> Form:
    return Form(
        sections,
        frozenset(required.split()),
        frozenset(optional.split()),
        frozenset(literal.split()),
        frozenset(parts.split()),
        has_text,
        has_policies,
    )


POLICIES: Final = {
    "authentication-managed-identity": _form(
        "resource", "client-id output-token-variable-name ignore-error", sections=_INBOUND
    ),
    "base": _form(),
    "choose": _form(parts="when otherwise"),
    "forward-request": _form(
        "",
        "timeout timeout-ms continue-timeout http-version follow-redirects buffer-request-body "
        "buffer-response fail-on-error-status-code",
        sections=frozenset({"backend"}),
    ),
    "include-fragment": _form("fragment-id", literal="fragment-id"),
    "llm-content-safety": _form(
        "backend-id", "shield-prompt", sections=_INBOUND, parts="categories blocklists"
    ),
    "llm-emit-token-metric": _form(
        "", "namespace", sections=_INBOUND, literal="namespace", parts="dimension"
    ),
    "llm-semantic-cache-lookup": _form(
        "score-threshold embeddings-backend-id",
        "embeddings-backend-auth ignore-system-messages max-message-count",
        sections=_INBOUND,
        parts="vary-by",
    ),
    "llm-semantic-cache-store": _form("duration", sections=frozenset({"outbound"})),
    "llm-token-limit": _form(
        "counter-key estimate-prompt-tokens",
        "tokens-per-minute token-quota token-quota-period remaining-tokens-variable-name "
        "remaining-quota-tokens-variable-name tokens-consumed-variable-name "
        "retry-after-header-name remaining-tokens-header-name tokens-consumed-header-name",
        sections=_INBOUND,
        literal="tokens-per-minute token-quota token-quota-period",
    ),
    "log-to-eventhub": _form(
        "logger-id", "partition-key partition-id", literal="logger-id", has_text=True
    ),
    "retry": _form(
        "condition count interval", "max-interval delta first-fast-retry", has_policies=True
    ),
    "return-response": _form("", "response-variable-name", parts="set-status set-header set-body"),
    "send-one-way-request": _form(
        "",
        "mode timeout",
        parts="set-url set-method set-header set-body authentication-managed-identity",
    ),
    "set-backend-service": _form("", "base-url backend-id", sections=_REQUEST),
    "set-body": _form("", "template", has_text=True),
    "set-header": _form("name", "exists-action", parts="value"),
    "set-query-parameter": _form("name", "exists-action", sections=_REQUEST, parts="value"),
    "set-status": _form("code", "reason", sections=_EVERYWHERE - {"backend"}),
    "set-variable": _form("name value", literal="name"),
    "trace": _form("source", "severity", literal="source severity", parts="message metadata"),
    "validate-jwt": _form(
        "",
        "header-name query-parameter-name token-value failed-validation-httpcode "
        "failed-validation-error-message require-expiration-time require-scheme "
        "require-signed-tokens clock-skew output-token-variable-name",
        sections=_INBOUND,
        parts="openid-config audiences issuers required-claims",
    ),
}
PARTS: Final = {
    "audience": _form(has_text=True),
    "audiences": _form(parts="audience"),
    "blocklists": _form(parts="id"),
    "categories": _form("output-type", parts="category"),
    "category": _form("name threshold"),
    "dimension": _form("name", "value", literal="name"),
    "id": _form(has_text=True),
    "issuer": _form(has_text=True),
    "issuers": _form(parts="issuer"),
    "message": _form(has_text=True),
    "metadata": _form("name value"),
    "openid-config": _form("url", literal="url"),
    "otherwise": _form(has_policies=True),
    "set-method": _form(has_text=True),
    "set-url": _form(has_text=True),
    "value": _form(has_text=True),
    "vary-by": _form(has_text=True),
    "when": _form("condition", has_policies=True),
}


def check_policy(root: Step) -> None:
    """Whether a policy document is one.

    Raises:
        Unreadable: It is not; says every reason.
    """
    problems = [] if root.tag == "policies" else [f"<{root.tag}> is not <policies>"]
    tags = [section.tag for section in root.children]
    if tags != list(SECTIONS):
        problems.append(f"sections are {', '.join(tags)}, not {', '.join(SECTIONS)}")
    for section in root.children:
        for step in section.children:
            problems += _problems(step, section.tag)
        problems += policy_limits.problems_of_section(section)
    _raise(root, problems)


def check_fragment(root: Step, section: str) -> None:
    """Whether a fragment may be included in a section.

    Raises:
        Unreadable: It may not; says every reason.
    """
    problems = [] if root.tag == "fragment" else [f"<{root.tag}> is not <fragment>"]
    problems += [
        f"<{step.tag}> in a fragment"
        for step in root.walk()
        if step.tag in {"base", "include-fragment"}
    ]
    for step in root.children:
        problems += _problems(step, section)
    _raise(root, problems)


def _raise(root: Step, problems: list[str]) -> None:
    if problems:
        raise Unreadable(f"{root.file}: {'; '.join(problems)}")


def _problems(step: Step, section: str) -> Iterator[str]:
    form = POLICIES.get(step.tag)
    if form is None:
        yield f"<{step.tag}> is no policy that is known here"
        return
    if section not in form.sections:
        yield f"<{step.tag}> in {section}"
    yield from _of_form(step, form, section)


def _of_form(step: Step, form: Form, section: str) -> Iterator[str]:
    given = set(step.attributes)
    yield from (f"<{step.tag}> without {name}" for name in sorted(form.required - given))
    unknown = sorted(given - form.required - form.optional)
    yield from (f"<{step.tag}> has no attribute {name}" for name in unknown)
    for name in sorted(form.literal & given):
        if isinstance(step.attributes[name], Expression):
            yield f"<{step.tag}>: {name} takes no expression"
    if not form.has_text and (isinstance(step.text, Expression) or step.text.strip()):
        yield f"<{step.tag}> has text"
    yield from policy_limits.problems(step)
    for child in step.children:
        if form.has_policies:
            yield from _problems(child, section)
        elif child.tag not in form.parts:
            yield f"<{child.tag}> in <{step.tag}>"
        elif child.tag in PARTS:
            yield from _of_form(child, PARTS[child.tag], section)
        else:
            yield from _of_form(child, POLICIES[child.tag], section)
