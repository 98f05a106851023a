"""The stand-alone page of a cube's model: one HTML file that answers, inverts and projects in the browser."""

from .page import page_html, write_page

__all__ = ["page_html", "write_page"]
