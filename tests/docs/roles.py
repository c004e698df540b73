"""`docs/roles.md`: who may do what, read from the guards that each use case calls."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import FunctionType, ModuleType

import cms.services
import renewals.services
from cms import policy
from cms.states import Role
from renewals.support_policy import require_caretaker
from tests.docs.markdown import code, head, sentence, table

ADMINISTRATOR = "administrator"
COLUMNS = (*(role.value for role in Role), ADMINISTRATOR)
EVERYBODY = frozenset(COLUMNS)
PACKAGES = (cms.services, renewals.services)
INTRODUCTION = """\
Rights hang on an account's membership in a centre (`operator`, `manager`, `auditor`) and on one mark for people of the
provider (`administrator`), who belong to no centre. Every page shows only rows of the operator's centres and of the
chosen service; the use case asks again, and row policies of the database are the second fence. Everybody reads what lies
in his scope; an auditor does nothing else. Nobody decides on his own card, and nobody changes his own access.

A mark means: this role may, in its own centre (administrators: everywhere). Whoever has none is refused with
`role-insufficient`, `scope-foreign` or `administrators-only`. A use case may ask more, such as a second person.
"""


def document() -> str:
    """Write the page."""
    lines = [*head("Roles"), *INTRODUCTION.splitlines(), ""]
    for package in PACKAGES:
        lines += [f"## {package.__name__.partition('.')[0]}", ""]
        found = ((name, function) for name, function in use_cases().items() if name.startswith(package.__name__))
        lines += table(("Use case", *COLUMNS, "What"), (_row(name, function) for name, function in found))
    return "\n".join(lines).rstrip() + "\n"


def use_cases() -> dict[str, FunctionType]:
    """Every use case that acts for an operator, by its place."""
    found = {}
    for package in PACKAGES:
        for info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            for name, function in sorted(vars(importlib.import_module(info.name)).items()):
                if _acts_for_an_operator(name, function, info.name):
                    found[f"{info.name}.{name}"] = function
    return found


def roles_of(function: FunctionType) -> frozenset[str]:
    """The roles that the guards of a use case let through; everybody where it has none."""
    guards = list(_guards(function, set()))
    return frozenset.intersection(*guards) if guards else EVERYBODY


def _row(name: str, function: FunctionType) -> tuple[str, ...]:
    allowed = roles_of(function)
    marks = ("×" if role in allowed else "" for role in COLUMNS)
    return (code(".".join(name.split(".")[2:])), *marks, sentence(function))


def _acts_for_an_operator(name: str, function: object, module: str) -> bool:
    if name.startswith("_") or not inspect.isfunction(function) or function.__module__ != module:
        return False
    is_use_case = hasattr(function, "__wrapped__")
    return is_use_case and "operator" in inspect.signature(function).parameters


def _guards(function: FunctionType, seen: set[object]) -> Iterator[frozenset[str]]:
    """Walk from a use case through what it calls in the services; stop at the guards of `cms.policy`."""
    inner = inspect.unwrap(function)
    if inner in seen:
        return
    seen.add(inner)
    names = inner.__code__.co_names
    called = [each for each in _called(inner, names) if isinstance(each, FunctionType)]
    for each in called:
        if each is policy.require_administrator:
            yield frozenset({ADMINISTRATOR})
        elif each is policy.require_staffing:
            yield frozenset({Role.MANAGER.value, ADMINISTRATOR})
        elif each is policy.require_member:
            yield _members(names)
        elif each is require_caretaker:  # administrators: where a request belongs to no centre
            yield frozenset({Role.OPERATOR.value, Role.MANAGER.value, ADMINISTRATOR})
        elif ".services" in each.__module__:
            yield from _guards(each, seen)


def _members(names: tuple[str, ...]) -> frozenset[str]:
    """Which members a function lets through, by what it hands to `require_member`, and whether it spares administrators."""
    roles = policy.DECIDING_ROLES if "DECIDING_ROLES" in names else {Role.MANAGER}
    spared = {ADMINISTRATOR} if "is_administrator" in names else set()
    return frozenset({str(role.value) for role in roles} | spared)


def _called(function: FunctionType, names: tuple[str, ...]) -> Iterator[object]:
    """What the names in a function's code stand for: of its own module, or of a module that it names."""
    known = [function.__globals__[name] for name in names if name in function.__globals__]
    yield from known
    for module in known:
        if isinstance(module, ModuleType) and module.__name__.partition(".")[0] in {"cms", "renewals"}:
            yield from (vars(module)[name] for name in names if name in vars(module))
