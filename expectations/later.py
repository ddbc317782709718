"""Puts off what other libraries import and hardly use."""

from __future__ import annotations

import sys
from importlib.util import LazyLoader, find_spec, module_from_spec


def put_off(name: str) -> None:
    """Let a module be loaded when something of it is asked for, unless it is loaded already."""
    if name in sys.modules:
        return
    spec = find_spec(name)
    if spec is None or spec.loader is None:
        return
    spec.loader = LazyLoader(spec.loader)
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    parent, _, leaf = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], leaf, module)
