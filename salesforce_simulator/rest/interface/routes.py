"""The paths of layouts, list views, tabs and recent records, for ``rest.routes``."""

from __future__ import annotations

from collections.abc import Mapping

from salesforce_simulator.rest.interface import (
    compact_layouts,
    list_views,
    page_layouts,
    quick_actions,
    recent,
    tabs,
)
from salesforce_simulator.rest.wire import Handler

INTERFACE_ROUTES: tuple[tuple[str, Mapping[str, Handler]], ...] = (
    ("recent", {"GET": recent.recent}),
    ("tabs", {"GET": tabs.tabs}),
    ("theme", {"GET": tabs.theme}),
    ("compactLayouts", {"GET": compact_layouts.of_several_objects}),
    ("sobjects/*/describe/layouts", {"GET": page_layouts.layouts}),
    ("sobjects/*/describe/layouts/*", {"GET": page_layouts.layout_of_record_type}),
    ("sobjects/*/describe/namedLayouts/*", {"GET": page_layouts.named_layout}),
    ("sobjects/*/describe/approvalLayouts", {"GET": page_layouts.approval_layouts}),
    ("sobjects/*/describe/compactLayouts", {"GET": compact_layouts.of_an_object}),
    ("sobjects/*/quickActions", {"GET": quick_actions.quick_actions}),
    ("sobjects/*/quickActions/*", {"GET": quick_actions.quick_action}),
    ("sobjects/*/quickActions/*/describe", {"GET": quick_actions.quick_action}),
    ("sobjects/*/listviews", {"GET": list_views.list_views}),
    ("sobjects/*/listviews/*", {"GET": list_views.list_view}),
    ("sobjects/*/listviews/*/describe", {"GET": list_views.describe}),
    ("sobjects/*/listviews/*/results", {"GET": list_views.results}),
)
