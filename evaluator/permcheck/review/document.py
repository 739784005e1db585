"""Answers about everybody as plain values, for JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from permcheck.review.evidence import Evidence
from permcheck.review.outline import Tellers, device_name, hierarchy_name, people
from permcheck.review.reasons import OtherReason
from permcheck.review.removals import Outcome
from permcheck.review.review import Review
from permcheck.review.row import Devices, Row

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
        "stale": [one._asdict() for one in outcome.stale],
        "broken": [_row(tables, row) for row in outcome.broken],
        "own": [one._asdict() for one in outcome.own],
        "unexplained": [one._asdict() for one in outcome.unexplained],
        "hasty": [{"reviewer": who, "minute": minute, "rows": rows} for who, minute, rows in outcome.hasty],
        "undecided": outcome.undecided,
    }
