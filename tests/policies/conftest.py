"""What tests of policies run with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from policies.compiler import CompilerMissing
from policies.evaluator import Evaluator


@pytest.fixture(scope="session")
def evaluator() -> Iterator[Evaluator]:
    """Evaluates the expressions of all policies."""
    try:
        started = Evaluator()
    except CompilerMissing as missing:
        pytest.fail(str(missing))
    yield started
    started.close()
