"""Compiles expressions with Debian's C# compiler; what was compiled before is taken from build/."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from policies.documents import Expression
from policies.expression_ends import Unreadable

BUILD: Final = Path(__file__).parents[2] / "build" / "policies"
SOURCES: Final = sorted((Path(__file__).parent / "csharp").glob("*.cs"))
HOW_TO_INSTALL: Final = "Tests need {}, which is missing. Type: sudo make system"
_GAC: Final = Path("/usr/lib/mono/gac/Newtonsoft.Json")
# API Management's expressions are C# 7.
_OPTIONS: Final = ("-nologo", "-langversion:7", "-warn:0", "-r:System.Xml.Linq")
_NAMESPACES: Final = (
    "System",
    "System.Collections.Generic",
    "System.Globalization",
    "System.IO",
    "System.Linq",
    "System.Net",
    "System.Security.Cryptography",
    "System.Text",
    "System.Text.RegularExpressions",
    "System.Xml.Linq",
    "Newtonsoft.Json.Linq",
)


class CompilerMissing(Exception):  # noqa: N818  what is the matter
    """The tests need Debian packages that are not there; the message says what to type."""


def newtonsoft() -> Path:
    """The JSON library that expressions use."""
    found = sorted(_GAC.glob("*/Newtonsoft.Json.dll"))
    if not found:
        raise CompilerMissing(HOW_TO_INSTALL.format("libnewtonsoft-json5.0-cil"))
    return found[-1]


def command(name: str) -> str:
    """Where `mcs` or `mono` is."""
    path = shutil.which(name)
    if path is None:
        raise CompilerMissing(HOW_TO_INSTALL.format(name))
    return path


def evaluator_program() -> Path:
    """The program that evaluates expressions, compiled from the sources beside this file."""
    return _compiled("evaluator", SOURCES, ".exe", ())


def compile_expressions(expressions: Sequence[Expression]) -> Path:
    """The assembly that has them as `E0`, `E1`, …

    Raises:
        Unreadable: One does not compile; the message names its file and line.
    """
    program = evaluator_program()
    with tempfile.TemporaryDirectory(prefix="tollgate-policies-") as folder:
        source = Path(folder) / "Expressions.cs"
        source.write_text(_source(expressions), "utf-8")
        library = ("-target:library", f"-r:{program}")
        return _compiled(f"expressions-{program.stem[-16:]}", [source], ".dll", library)


def _source(expressions: Sequence[Expression]) -> str:
    using = "".join(f"using {namespace};" for namespace in _NAMESPACES)
    methods = "\n".join(_method(number, each) for number, each in enumerate(expressions))
    return (
        f"{using} namespace ApiManagement {{ public static class Expressions {{\n{methods}\n}} }}"
    )


def _method(number: int, expression: Expression) -> str:
    kind = "bool" if expression.is_condition else "object"
    body = expression.code if expression.is_block else f"return (\n{expression.code}\n);"
    line = expression.line if expression.is_block else expression.line - 1
    place = f'#line {max(line, 1)} "{expression.file}"'
    return f"public static {kind} E{number}(IContext context) {{\n{place}\n{body}\n}}"


def _compiled(name: str, sources: Sequence[Path], suffix: str, options: Sequence[str]) -> Path:
    library = newtonsoft()
    content = "\0".join([*_OPTIONS, *options, *(path.read_text("utf-8") for path in sources)])
    target = BUILD / f"{name}-{sha256(content.encode()).hexdigest()[:16]}{suffix}"
    if target.exists():
        return target
    BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        made = Path(folder) / target.name
        arguments = [*_OPTIONS, *options, f"-r:{library}", f"-out:{made}", *map(str, sources)]
        done = subprocess.run(
            [command("mcs"), *arguments], capture_output=True, text=True, check=False
        )
        if done.returncode:
            errors = [line for line in done.stderr.splitlines() if "error" in line]
            raise Unreadable("\n".join(errors) or done.stdout)
        made.replace(target)
    return target
