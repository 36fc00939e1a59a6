"""Attributes are printed as WTForms prints them, only sooner."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markupsafe import Markup
from wtforms.widgets import html_params

from keeping_plugin.forms.widgets import attributes_text

_NAMES = st.sampled_from(
    ["id", "class_", "for_", "data_k_for", "aria_describedby", "aria-invalid", "value", "checked"]
)
_VALUES = st.one_of(
    st.text(), st.text().map(Markup), st.booleans(), st.integers(), st.none(), st.just("\"'<&>")
)


# On a busy machine drawing examples takes longer than Hypothesis thinks healthy.
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(_NAMES, _VALUES))
def test_they_read_as_html_params_prints_them(attributes: dict[str, object]) -> None:
    assert attributes_text(attributes) == str(html_params(**attributes))
