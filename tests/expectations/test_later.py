"""A module that is put off is loaded when something of it is asked for, and not before."""

from __future__ import annotations

import subprocess
import sys

SAID = """
import sys
from expectations.later import put_off
put_off("wsgiref.headers")
put_off("no_such_module")
from wsgiref import headers
def loaded():
    return type(sys.modules["wsgiref.headers"]).__name__
print(headers.__file__.endswith("headers.py"), loaded())
print(headers.Headers([("a", "b")])["a"], loaded())
print("no_such_module" in sys.modules)
"""
WITHOUT_DISTRIBUTIONS = """
import sys
import expectations.delivery
print("scipy.stats.distributions" in sys.modules)
from scipy import stats
print(stats.norm.cdf(0))
"""


def said(program: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_module_that_is_put_off_is_loaded_when_it_is_used() -> None:
    assert said(SAID) == ["True", "_PutOff", "b", "module", "False"]


def test_great_expectations_comes_without_distributions_which_others_may_still_use() -> None:
    assert said(WITHOUT_DISTRIBUTIONS) == ["False", "0.5"]
