"""Answers about everybody as plain values, for JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from permcheck.review.as_written import Compared
from permcheck.review.evidence import Evidence
from permcheck.review.outline import Tellers, device_name, hierarchy_name, people
from permcheck.review.reasons import OtherReason
from permcheck.review.removals import Outcome
from permcheck.review.review import Review
from permcheck.review.row import Devices, Row
from permcheck.review.signed import Signed

PEOPLE, DIFF, SIGNED = "permcheck-people/1", "permcheck-diff/1", "permcheck-signed/1"


def people_document(review: Review, rows: Iterable[Row]) -> dict[str, Any]:
    """Return rows with everything that they say, users and devices by name."""
    tables = (review.view.engine.tables,)
    return {
        "format": PEOPLE,
        "totals": {**review.total._asdict(), "cells": review.total.cells},
        "rows": [_row(tables, row) for row in rows],
    }


def _row(tables: Tellers, row: Row) -> dict[str, Any]:
    return {
        "verdict": row.verdict.value,
        "users": list(people(tables, row.users)),
        "action": str(row.act),
        **_where(tables, row.devices),
        **_evidence(row.evidence),
        "sources": list(row.evidence.sources),
    }


def _where(tables: Tellers, devices: Devices) -> dict[str, Any]:
    hierarchy = hierarchy_name(tables, devices.area.hierarchy) or None
    return {"hierarchy": hierarchy, "devices": [device_name(tables, key) for key in devices.each()]}


def reason_document(tables: Tellers, one: OtherReason) -> dict[str, Any]:
    """Return answers that stay for other reasons."""
    return {
        "verdict": one.verdict.value,
        "users": list(people(tables, one.users)),
        "action": str(one.act),
        **_where(tables, one.devices),
        "before": _evidence(one.before),
        "after": _evidence(one.after),
    }


def _evidence(evidence: Evidence) -> dict[str, Any]:
    return {
        "authority": evidence.authority,
        "paths": [[hop._asdict() for hop in trail.hops] for trail in evidence.trails],
        "unmet": list(evidence.unmet),
        "missing": list(evidence.missing),
        "assumed": list(evidence.assumed),
    }


def outcome_document(review: Review, outcome: Outcome) -> dict[str, Any]:
    """Return what a signed sheet comes to."""
    tables = (review.view.engine.tables,)
    return {
        "format": SIGNED,
        "clean": outcome.clean,
        "removals": [
            {
                "row_id": one.signed.row_id,
                "users": list(people(tables, one.row.users)),
                "action": str(one.row.act),
                **_where(tables, one.row.devices),
                "grants": list(one.steps),
                "ends": one.ends,
                "undetermined": one.open,
                "other_answers": one.besides,
                "other_users": list(people(tables, one.people)),
            }
            for one in outcome.removals
        ],
        **_sheet(tables, outcome.sheet),
        "broken": [_row(tables, row) for row in outcome.broken],
        "own": [_signed(one) for one in outcome.own],
        "unexplained": [_signed(one) for one in outcome.unexplained],
        "hasty": [{"reviewer": who, "minute": minute, "rows": rows} for who, minute, rows in outcome.hasty],
        "undecided": outcome.undecided,
    }


def _sheet(tables: Tellers, sheet: Compared) -> dict[str, Any]:
    return {
        "as_written": sheet.is_as_written,
        "rows": len(sheet.signed),
        "lacking": [{"row_id": one.row_id, **_row(tables, one.row)} for one in sheet.lacking],
        "altered": [
            {**_signed(one.signed), "changes": [change._asdict() for change in one.changes]} for one in sheet.altered
        ],
        "foreign": [_signed(one) for one in sheet.foreign],
        "repeated": [_signed(one) for one in sheet.repeated],
        "lacking_columns": list(sheet.lacks),
        "beside": {name: list(texts) for name, texts in sheet.beside._asdict().items()},
    }


def _signed(one: Signed) -> dict[str, Any]:
    return {name: value for name, value in one._asdict().items() if name != "said"}
