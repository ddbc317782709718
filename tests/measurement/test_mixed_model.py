from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.measurement import mixed_model
from pipelines.measurement.mixed_model import solve


def by_hand(values, groups, residual, variances):
    """The whole system at once, as Henderson wrote it."""
    n, k = groups.shape
    sizes = groups.max(axis=0) + 1
    design = np.hstack([np.ones((n, 1)), *(np.eye(sizes[i])[groups[:, i]] for i in range(k))])
    ridge = np.concatenate([[0], *(np.full(sizes[i], residual / variances[i]) for i in range(k))])
    inverse = np.linalg.inv(design.T @ design + np.diag(ridge))
    return inverse @ design.T @ values, residual * np.diag(inverse)


@given(seed=st.integers(0, 10_000), k=st.integers(1, 4), block=st.sampled_from([1, 3, 4096]))
@settings(max_examples=60, deadline=None)
def test_eliminating_the_largest_factor_changes_nothing(seed: int, k: int, block: int) -> None:
    rng = np.random.default_rng(seed)
    groups = np.column_stack(
        [np.unique(rng.integers(0, 2 + i * 3, 40), return_inverse=True)[1] for i in range(k)]
    )
    values, variances = rng.normal(3, 1, 40), list(rng.uniform(0.1, 2, k))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(mixed_model, "BLOCK", block)
        found = solve(values, groups, 0.7, variances)
    effects, errors = by_hand(values, groups, 0.7, variances)
    assert found.mean == pytest.approx(effects[0])
    np.testing.assert_allclose(np.concatenate(found.effects), effects[1:], atol=1e-9)
    np.testing.assert_allclose(np.concatenate(found.error_variances), errors[1:], atol=1e-9)


def test_a_factor_without_variance_has_no_effects() -> None:
    rng = np.random.default_rng(1)
    groups = rng.integers(0, 5, (60, 2))
    found = solve(rng.normal(0, 1, 60), groups, 1.0, [0.5, 0.0])
    assert np.abs(found.effects[1]).max() < 1e-9
    assert np.abs(found.effects[0]).max() > 1e-3
