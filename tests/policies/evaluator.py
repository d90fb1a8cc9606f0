"""The mono process that evaluates expressions, one for all tests of a session."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from policies.compiler import command, evaluator_program

Fetch = Callable[[str], Awaitable[bytes]]


class Failed(Exception):  # noqa: N818  API Management calls it a failure too
    """An expression threw."""


class Evaluator:
    """Speaks to one process, whose runs are apart from each other."""

    def __init__(self) -> None:
        program = evaluator_program()
        self._process: Final = subprocess.Popen(
            [command("mono"), str(program)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._runs = 0

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    def begin(self, context: dict[str, Any]) -> int:
        """A new run, with what its expressions see as `context`."""
        self._runs += 1
        self._ask({"do": "begin", "run": self._runs, "context": context})
        return self._runs

    def end(self, run: int) -> None:
        """Forget a run."""
        self._ask({"do": "end", "run": run})

    def set_variable(self, run: int, name: str, **value: Any) -> None:
        """Give a variable the value of the last expression, or a `text`, `token` or `number`."""
        self._ask({"do": "set", "run": run, "name": name, **value})

    def members_used(self, assembly: Path) -> list[list[str]]:
        """What of .NET each expression touches."""
        return self._ask({"do": "members", "assembly": str(assembly)})["members"]

    async def evaluate(
        self, run: int, place: tuple[Path, int], patch: dict[str, Any], fetch: Fetch
    ) -> dict[str, Any]:
        """Evaluate an expression.

        Args:
            run: The run.
            place: The assembly, and the expression's number in it.
            patch: What changed of the context.
            fetch: Gives a body that the expression asks for.

        Raises:
            Failed: It threw.
        """
        assembly, number = place
        order = {"assembly": str(assembly), "expression": f"E{number}", "patch": patch}
        answer = self._say({"do": "evaluate", "run": run, **order})
        while "needs" in answer:
            body = await fetch(answer["needs"])
            answer = self._say({"body": base64.b64encode(body).decode()})
        return _checked(answer)

    def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        return _checked(self._say(order))

    def _say(self, message: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def _checked(answer: dict[str, Any]) -> dict[str, Any]:
    if "error" in answer:
        raise Failed(f"{answer['error']}: {answer['message']}")
    return answer
