"""Tables, pictures and the self-contained HTML report."""

from equipoise.reporting.html import Report
from equipoise.reporting.tables import Table

__all__ = ["Report", "Table"]
