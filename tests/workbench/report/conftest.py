"""The browser and the way to open a report in it, for every file of tests of the page."""

from test_report_page import browser, opened

__all__ = ["browser", "opened"]
