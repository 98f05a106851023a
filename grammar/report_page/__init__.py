"""The report on a set of models: one HTML file to mail, print and keep, that asks nothing of any server."""

from .page import report_html, write_report

__all__ = ["report_html", "write_report"]
