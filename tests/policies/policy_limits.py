"""What API Management says of attributes together, of values, and of how often a policy stands.

Source: the reference page of each policy under learn.microsoft.com/azure/api-management.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.documents import Expression, Step

# (policy, attribute) -> the values that it takes.
_VALUES: Final = {
    ("llm-token-limit", "token-quota-period"): ["Hourly", "Daily", "Weekly", "Monthly", "Yearly"],
    ("send-one-way-request", "mode"): ["new", "copy"],
    ("set-header", "exists-action"): ["override", "skip", "append", "delete"],
    ("set-query-parameter", "exists-action"): ["override", "skip", "append", "delete"],
}
_MOST_RETRIES: Final = 50
_MOST_DIMENSIONS: Final = 5
_ONCE_A_SECTION: Final = ("llm-semantic-cache-lookup",)


def problems(step: Step) -> Iterator[str]:
    """What is wrong with one policy beyond its form."""
    for name, value in step.attributes.items():
        taken = _VALUES.get((step.tag, name))
        if taken is not None and not isinstance(value, Expression) and value not in taken:
            yield f"<{step.tag}> takes no {name} {value}"
    if step.tag == "llm-token-limit":
        yield from _of_token_limit(set(step.attributes))
    if step.tag == "retry":
        yield from _of_retry(step)
    if step.tag == "llm-emit-token-metric" and not 0 < len(step.children) <= _MOST_DIMENSIONS:
        yield f"<{step.tag}> with {len(step.children)} dimensions, not 1 to {_MOST_DIMENSIONS}"


def problems_of_section(section: Step) -> Iterator[str]:
    """What stands more often in a section than it may."""
    tags = [step.tag for step in section.walk()]
    yield from (f"<{tag}> twice in {section.tag}" for tag in _ONCE_A_SECTION if tags.count(tag) > 1)


def _of_token_limit(given: set[str]) -> Iterator[str]:
    pair = {"token-quota", "token-quota-period"}
    if len(pair & given) == 1:
        (has,) = pair & given
        (lacks,) = pair - given
        yield f"<llm-token-limit> has {has} without {lacks}"
    if not {"tokens-per-minute", "token-quota"} & given:
        yield "<llm-token-limit> has neither tokens-per-minute nor token-quota"


def _of_retry(step: Step) -> Iterator[str]:
    count = step.attributes.get("count", "")
    if isinstance(count, str) and count.isdecimal() and not 1 <= int(count) <= _MOST_RETRIES:
        yield f"<retry>: count is not 1 to {_MOST_RETRIES}"
