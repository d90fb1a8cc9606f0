"""The policies that the gateway itself serves: identity, limits, cache, content safety, metrics.

Azure's services behind them are stood in for: tokens are estimated as a quarter of the characters,
only the very same prompt is found in the cache, and the content filter knows one word.
"""

from __future__ import annotations

import json

import jwt
from policies.documents import Step
from policies.messages import Reply, first, replaced
from policies.run import Answered, Refused, Run

BLOCKED_WORD = "simulated-threat"


def _refusal(status: int, message: str) -> Reply:
    body = json.dumps({"statusCode": status, "message": message}).encode()
    return Reply(status, message, [("Content-Type", "application/json")], body)


async def authentication_managed_identity(run: Run, step: Step) -> None:
    """`authentication-managed-identity`, with the gateway's own identity."""
    token = run.gateway.identity_token(await run.attribute(step, "resource"))
    run.headers = replaced(run.headers, "Authorization", [f"Bearer {token}"], "override")


async def validate_jwt(run: Run, step: Step) -> None:
    """`validate-jwt`: signature, lifetime, audience and issuer, by the published keys."""
    given = first(run.request.headers, await run.attribute(step, "header-name")) or ""
    configuration = step.child("openid-config")
    assert configuration is not None
    found = await run.gateway.get_json(await run.attribute(configuration, "url"))
    keys = jwt.PyJWKSet.from_dict(await run.gateway.get_json(found["jwks_uri"]))
    try:
        token = given.partition(" ")[2]
        key = keys[jwt.get_unverified_header(token)["kid"]]
        jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            audience=await _texts(run, step, "audiences"),
            issuer=await _texts(run, step, "issuers") or [found["issuer"]],
            options={"require": ["exp"]},
        )
    except (jwt.PyJWTError, KeyError) as error:
        status = int(await run.attribute(step, "failed-validation-httpcode", "401"))
        reply = _refusal(status, await run.attribute(step, "failed-validation-error-message"))
        raise Refused("validate-jwt", type(error).__name__, reply) from error
    if variable := await run.attribute(step, "output-token-variable-name"):
        run.give_variable(variable, token=token)


async def _texts(run: Run, step: Step, part: str) -> list[str]:
    found = step.child(part)
    return [await run.text(each.text) for each in found.children] if found else []


async def llm_token_limit(run: Run, step: Step) -> None:
    """`llm-token-limit`: 429 above the rate, 403 above the quota."""
    key = await run.attribute(step, "counter-key")
    used = run.gateway.tokens_used.get(key, 0)
    if await run.attribute(step, "estimate-prompt-tokens") == "true":
        used += len(run.request.body or b"") // 4
    rate = await run.attribute(step, "tokens-per-minute")
    quota = await run.attribute(step, "token-quota")
    if quota and used > int(quota):
        raise Refused("llm-token-limit", "TokenQuotaExceeded", _refusal(403, "Quota exceeded"))
    if rate and used > int(rate):
        reply = _refusal(429, "Token limit is exceeded")
        reply.headers.append((await run.attribute(step, "retry-after-header-name"), "42"))
        raise Refused("llm-token-limit", "TokenLimitExceeded", reply)
    run.counted.token_counters.append(key)


async def llm_content_safety(run: Run, step: Step) -> None:
    """`llm-content-safety`: 403 for a prompt that the service flags."""
    assert await run.attribute(step, "backend-id") in run.gateway.backends.by_id
    if BLOCKED_WORD.encode() in (run.request.body or b""):
        reply = _refusal(403, "Request failed content safety check.")
        raise Refused("llm-content-safety", "RequestBlocked", reply)


async def llm_semantic_cache_lookup(run: Run, step: Step) -> None:
    """`llm-semantic-cache-lookup`: the answer to the same prompt of the same caller."""
    assert await run.attribute(step, "embeddings-backend-id") in run.gateway.backends.by_id
    varying = [await run.text(part.text) for part in step.children]
    prompt = json.loads(run.request.body or b"{}")
    key = json.dumps([varying, prompt.get("messages"), prompt.get("input")])
    run.counted.cache_key = key
    if (kept := run.gateway.cache.get(key)) is not None:
        run.respond(Reply(200, "OK", list(kept.headers), kept.body))
        raise Answered


async def llm_semantic_cache_store(run: Run, step: Step) -> None:
    """`llm-semantic-cache-store`: holds the answer back, and keeps it."""
    await run.attribute(step, "duration")
    await run.answer.read()
    if run.counted.cache_key is not None:
        run.gateway.cache[run.counted.cache_key] = run.answer


async def llm_emit_token_metric(run: Run, step: Step) -> None:
    """`llm-emit-token-metric`: the dimensions, as they are before the answer."""
    dimensions = {
        await run.attribute(each, "name"): await run.attribute(each, "value")
        for each in step.children
    }
    run.counted.metrics.append((await run.attribute(step, "namespace"), dimensions))
