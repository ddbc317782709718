"""Rule sets and AI policies: versioned, dated, cited; read from YAML and checked."""

from __future__ import annotations

from pipelines.rules.loader import Catalogue, RuleFileError, load_catalogue
from pipelines.rules.model import AiPolicy, AiPolicyLevel, Rule, RuleSet, Threshold

__all__ = [
    "AiPolicy",
    "AiPolicyLevel",
    "Catalogue",
    "Rule",
    "RuleFileError",
    "RuleSet",
    "Threshold",
    "load_catalogue",
]
