"""The formats of a report, each in a module of its own that is imported when it is asked for."""

from __future__ import annotations

from typing import Final

from permcheck.checks.lint import Report

FORMATS: Final = ("text", "json", "sarif", "junit", "github", "azuredevops", "markdown")


def report_text(report: Report, format_: str) -> str:
    """Return a report in a format. Raises KeyError for one that is not known."""
    match format_:
        case "text":
            from permcheck.checks.output.text import text_report as write
        case "json":
            from permcheck.checks.output.document import json_report as write
        case "sarif":
            from permcheck.checks.output.sarif import sarif_report as write
        case "junit":
            from permcheck.checks.output.junit import junit_report as write
        case "github":
            from permcheck.checks.output.github import github_report as write
        case "azuredevops":
            from permcheck.checks.output.azuredevops import azure_report as write
        case "markdown":
            from permcheck.checks.output.markdown import markdown_report as write
        case _:
            raise KeyError(format_)
    return write(report)
