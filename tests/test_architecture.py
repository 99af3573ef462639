"""The rules of docs/ARCHITECTURE.md that a machine can check."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import Model

from tests.layers import MAY_IMPORT, ONLY_IN

pytestmark = pytest.mark.core

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("alerts", "arbsite", "exchanges", "trading")

PURE = (
    "alerts.rules",
    "alerts.wording",
    "exchanges.access",
    "exchanges.activity",
    "exchanges.domain",
    "exchanges.errors",
    "exchanges.ports",
    "exchanges.loans",
    "exchanges.matching",
    "exchanges.risk_tiers",
    "trading.core",
    "trading.strategies",
)
EFFECTS = {"random", "secrets", "time", "os", "subprocess", "socket", "threading", "asyncio"}
CLOCK_CALLS = {"now", "utcnow", "today"}

NO_FLOAT = ("trading/core", "trading/strategies", "trading/services", "trading/models")
FORBIDDEN_NAMES = {"utils", "helpers", "misc", "common", "manager", "managers"}
STATEFUL = {"Position", "Order"}
MOST_BROAD_EXCEPTS = 4
MOST_LINES = {
    "file": 400,
    "function": 60,
    # One story per file and builders with every default in sight are long for a reason.
    "test file": 450,
    "test function": 80,
}


def sources(*folders: str) -> Iterator[Path]:
    """Yield our Python files below `folders`, migrations aside."""
    for folder in folders:
        root = ROOT / folder
        for path in [root] if root.is_file() else sorted(root.rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sources(*PACKAGES)}


@cache
def imports(path: Path) -> frozenset[str]:
    """Return what a file imports; `from a import b` is `a.b` where that is a module of ours."""
    names: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                names.add(inner if inner in MODULES else node.module)
    return frozenset(names)


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def where(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


def test_packages_import_only_what_their_layer_allows() -> None:
    offences = [
        f"{module} imports {name}"
        for module, path in MODULES.items()
        for name in sorted(imports(path))
        if within(name, PACKAGES) and not layer_allows(module, name)
    ]
    assert offences == []


def layer_allows(module: str, name: str) -> bool:
    rules = [layer for layer in MAY_IMPORT if within(module, (layer,))]
    return not rules or within(name, MAY_IMPORT[max(rules, key=len)])


def test_pure_code_imports_no_package_but_numpy_for_the_scan() -> None:
    offences = [
        f"{module} imports {name}"
        for module, path in MODULES.items()
        if within(module, PURE)
        for name in imports(path)
        if not within(name, PACKAGES)
        and (name.split(".")[0] not in sys.stdlib_module_names or name.split(".")[0] in EFFECTS)
        and not (within(module, ("trading.core.scan",)) and within(name, ("numpy",)))
    ]
    assert offences == []


def test_pure_code_never_reads_the_clock() -> None:
    offences = [
        where(path, node)
        for module, path in MODULES.items()
        if within(module, PURE)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CLOCK_CALLS
    ]
    assert offences == []


def test_foreign_packages_stay_in_their_places() -> None:
    offences = [
        f"{module} imports {name}"
        for module, path in MODULES.items()
        for name in imports(path)
        if not within(module, ONLY_IN.get(name.split(".")[0], PACKAGES))
    ]
    assert offences == []


def test_the_web_process_loads_neither_ccxt_nor_polars() -> None:
    program = (
        "import sys, arbsite.asgi; from arbsite import urls; "
        "print(bool({'ccxt', 'polars'} & sys.modules.keys()))"
    )
    answer = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert answer.stdout.strip() == "False"


def test_modules_do_not_import_each_other_in_circles() -> None:
    graph = {
        module: {name for name in imports(path) if name in MODULES}
        for module, path in MODULES.items()
    }
    # Take away what imports nothing that is left; a circle never empties.
    while free := {module for module, names in graph.items() if not names & graph.keys()}:
        graph = {module: names for module, names in graph.items() if module not in free}
    assert graph == {}


def test_imports_stand_at_the_top() -> None:
    offences = [
        where(path, inner)
        for path in MODULES.values()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    assert offences == []


def test_modules_are_nouns_of_the_field() -> None:
    assert [m for m in MODULES if FORBIDDEN_NAMES & set(m.split("."))] == []


def test_money_never_becomes_a_float() -> None:
    adapter = ROOT / "exchanges/ccxt_adapter"
    parsers = sorted(
        path for some in ("parse*.py", "feeds/*.py", "calls/*.py") for path in adapter.glob(some)
    )
    files = [
        *sources(*NO_FLOAT, "exchanges/models.py", "exchanges/loans.py", "exchanges/matching.py"),
        *parsers,
    ]
    offences = [
        where(path, node)
        for path in files
        if not within(module_name(path), ("trading.core.scan",))
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if node.func.id == "float" or (node.func.id == "Decimal" and is_float(node))
    ]
    assert offences == []


def is_float(call: ast.Call) -> bool:
    first = call.args[0] if call.args else None
    return isinstance(first, ast.Constant) and isinstance(first.value, float)


def test_no_column_is_a_float() -> None:
    offences = [
        f"{model.__name__}.{field.name}"
        for model in our_models()
        for field in model._meta.get_fields()
        if getattr(field, "get_internal_type", str)() == "FloatField"
    ]
    assert offences == []


def test_every_model_says_what_a_row_means() -> None:
    silent = [m.__name__ for m in our_models() if (m.__doc__ or "").startswith(f"{m.__name__}(")]
    assert silent == []


def our_models() -> list[type[Model]]:
    return [m for m in apps.get_models() if within(m.__module__, PACKAGES)]


def test_views_fetch_objects_through_their_user() -> None:
    offences = [
        where(path, node)
        for path in sources("trading/views", "trading/api", "alerts/views.py")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and node.attr != "for_user"
        if isinstance(node.value, ast.Attribute) and node.value.attr == "objects"
    ]
    assert offences == []


def test_only_transition_writes_the_state_of_positions_and_orders() -> None:
    offences = [
        where(path, node)
        for path in sources("trading", "arbsite", "alerts")
        if path != ROOT / "trading/services/transition.py"
        for node in ast.walk(tree(path))
        if writes_a_state(node)
    ]
    assert offences == []


def writes_a_state(node: ast.AST) -> bool:
    """Return whether a node is `x.state = …` or `Order.objects….update(state=…)`."""
    if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        flat = [t for target in targets for t in getattr(target, "elts", [target])]
        return any(isinstance(t, ast.Attribute) and t.attr == "state" for t in flat)
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "update"
        and any(keyword.arg == "state" for keyword in node.keywords)
        and bool(STATEFUL & {n.id for n in ast.walk(node.func) if isinstance(n, ast.Name)})
    )


def test_few_places_catch_everything() -> None:
    places = [
        where(path, node)
        for path in MODULES.values()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler) and catches_everything(node)
    ]
    assert len(places) <= MOST_BROAD_EXCEPTS, places


def catches_everything(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(
        kind is None or (isinstance(kind, ast.Name) and kind.id in {"Exception", "BaseException"})
        for kind in kinds
    )


def test_files_and_functions_stay_short() -> None:
    offences = [
        f"{name} has {lines} lines"
        for folders, prefix in ((PACKAGES, ""), (("tests",), "test "))
        for path in sources(*folders)
        for name, lines, kind in sized(path)
        if lines > MOST_LINES[prefix + kind]
    ]
    assert offences == []


def sized(path: Path) -> Iterator[tuple[str, int, str]]:
    """Yield name, lines and kind of a file and of each function in it."""
    yield str(path.relative_to(ROOT)), len(path.read_text().splitlines()), "file"
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            yield f"{where(path, node)} {node.name}", lines, "function"
