"""A decision as plain values for JSON: the form is model/document.py."""

from __future__ import annotations

import json
from typing import Any

from permcheck.model.decision import Decision, Proof, Requirement, Step
from permcheck.model.policy_index import Policy

FORMAT = "permcheck-decision/1"


def decision_json(decision: Decision, policy: Policy) -> str:
    """Return a decision as JSON text."""
    return json.dumps(decision_document(decision, policy), indent=2, ensure_ascii=False)


def decision_document(decision: Decision, policy: Policy) -> dict[str, Any]:
    """Return a decision as plain dicts and lists."""
    d = decision
    return {
        "format": FORMAT,
        "user": d.user,
        "action": d.action,
        "device": d.device,
        "hierarchy": d.hierarchy,
        "object": d.object,
        "verdict": d.verdict.value,
        "strict": d.strict,
        "authority": _authority(d),
        "editions": list(d.editions),
        "readings": dict(d.readings),
        "requirements": [_requirement(r) for r in d.requirements],
        "unmet": [r.id for r in d.unmet],
        "unknown": [r.id for r in d.unknown],
        "missing": [{"fact": m.fact, "text": m.text} for m in d.missing],
        "near_misses": [n.text for n in d.near_misses],
        "error": d.error and {"id": d.error.id, "text": d.error.text, "causes": list(d.error.causes)},
        "fixes": [
            {
                "changes": list(f.texts),
                "kind": f.kind,
                "done_in": list(f.done_in),
                "remarks": list(f.remarks),
                "gained": f.gained,
                "opens": f.opens.answers,
                "opens_possible": f.opens.possible,
                "opens_people": f.opens.people,
                "requirements": list(f.requirements),
                "takes": list(f.takes),
            }
            for f in d.fixes
        ],
        "no_fix": d.no_fix,
        "revocations": [[step.text for step in r.grants] for r in d.revocations],
        "turns": [
            {"kind": t.kind, "name": t.name, "alternative": t.alternative, "verdict": t.verdict.value} for t in d.turns
        ],
        "notes": list(d.notes),
        "not_modelled": list(d.not_modelled),
        "sources": [source_document(policy, s) for s in _cited(d)],
    }


def _cited(decision: Decision) -> list[str]:
    """Every source that the document names, in order."""
    cited = [source for r in decision.requirements for source in r.sources]
    cited += [source for r in decision.requirements for place in r.where for source in place.sources]
    steps = [step for r in decision.requirements for proof in r.proofs for step in proof.steps]
    steps += decision.authority.steps if decision.authority else ()
    return list(dict.fromkeys((*cited, *(source for step in steps for source in step.sources))))


def source_document(policy: Policy, source: str) -> dict[str, str]:
    """Return a source with its document."""
    passage, document = policy.sources[source], policy.document_of(source)
    return {
        "id": source,
        "document": document.title,
        "heading": passage.heading,
        "date": document.date,
        "says": passage.says,
        "place": document.place,
    }


def _authority(decision: Decision) -> dict[str, Any] | None:
    found = decision.authority
    if found is None:
        return None
    return {
        "names": list(found.names),
        "toggle": found.toggle,
        "checkbox": found.checkbox,
        "version": found.version,
        "why": [_step(step) for step in found.steps],
    }


def _requirement(requirement: Requirement) -> dict[str, Any]:
    r = requirement
    return {
        "id": r.id,
        "needs": r.needs,
        "state": r.state.value,
        "side": r.side,
        "counts": r.counts,
        "group": r.group,
        "assumed": r.assumed,
        "contested": list(r.contested),
        "proofs": [_proof(p) for p in r.proofs],
        "missing": [{"fact": m.fact, "text": m.text} for m in r.missing],
        "sources": list(r.sources),
        "where": [
            {"console": p.console, "path": p.path, "releases": p.releases, "sources": list(p.sources)} for p in r.where
        ],
        "fix": r.fix,
        "takes": r.takes,
    }


def _proof(proof: Proof) -> dict[str, Any]:
    return {"kind": proof.kind, "steps": [_step(step) for step in proof.steps]}


def _step(step: Step) -> dict[str, Any]:
    o = step.origin
    origin = o and {"file": o.file, "path": o.path, "line": o.line or None, "column": o.column or None}
    return {"text": step.text, "origin": origin, "sources": list(step.sources)}
