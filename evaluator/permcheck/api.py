"""The library's face: load an estate, ask it, change it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from permcheck.ask import Asker
from permcheck.errors import Problem, QuestionError
from permcheck.evaluate.advice import KINDS
from permcheck.evaluate.decide import decide
from permcheck.evaluate.engine import Engine
from permcheck.evaluate.further import further
from permcheck.evaluate.question import Question
from permcheck.graph.build import draw
from permcheck.graph.membership import Membership
from permcheck.graph.moved import redrawn
from permcheck.graph.node import Adjacency, Container
from permcheck.graph.rights import GrantGraph
from permcheck.loading.estate import Joined, collector_off, read_estate
from permcheck.loading.files import has_estate_files, holds_exports
from permcheck.loading.policy import load_policy
from permcheck.loading.resolve import resolve
from permcheck.model.decision import Decision, Fix
from permcheck.model.names import Names
from permcheck.model.policy import Action
from permcheck.model.policy_index import Policy
from permcheck.model.state import Verdict
from permcheck.model.tables import Tables

if TYPE_CHECKING:
    from permcheck.bulk.answers import View
    from permcheck.model.change import Change
    from permcheck.review.diff import Difference
    from permcheck.review.review import Review


@dataclass(frozen=True, slots=True)
class Request:
    """One question, by the names that people use."""

    user: str
    action: str
    device: str | None = None
    object: str | None = None


@dataclass(frozen=True)
class Settings:
    """How to read the documents: a fixed edition, chosen readings, or every one of them (`strict`)."""

    edition: str | None = None
    readings: tuple[tuple[str, str], ...] = ()
    strict: bool = False


class Estate:
    """The facts about one tenant, ready to be asked. It never changes; it may be used from many threads."""

    def __init__(
        self,
        tables: Tables,
        policy: Policy,
        warnings: tuple[Problem, ...] = (),
        settings: Settings = Settings(),
        container: Callable[[], Container] = Adjacency,
        like: Engine | None = None,
    ) -> None:
        """Make the estate; `like` is an engine of another one, of which it may share plans and grants."""
        self._tables = tables
        self._policy = policy
        self._container = container
        self.warnings = warnings
        self.settings = settings
        self._asker = Asker(tables, policy)
        grants = redrawn(like.graph.container, policy, like.tables, tables) if like is not None else None
        self._graph = GrantGraph(tables, grants or draw(tables, policy, container()))
        readings = policy.defaults() | dict(tables.readings) | dict(settings.readings)
        membership = Membership(tables)
        engine = Engine(tables, policy, self._graph, membership, readings, settings.edition)
        alike = like is not None and (like.readings, like.edition) == (readings, settings.edition)
        self._engine = like.over(tables, self._graph, membership) if like is not None and alike else engine

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle what the estate says; what was worked out is worked out again."""
        return Estate, (self._tables, self._policy, self.warnings, self.settings, self._container)

    @property
    def name(self) -> str:
        """What the estate calls itself."""
        return self._tables.name

    @property
    def tables(self) -> Tables:
        """Everything that the estate says."""
        return self._tables

    @property
    def policy(self) -> Policy:
        """What Microsoft's documents say."""
        return self._policy

    @property
    def grants(self) -> GrantGraph:
        """The grant graph; `grants.container` is the networkx.DiGraph."""
        return self._graph

    @property
    def names(self) -> Mapping[str, Names]:
        """Names of users, devices and hierarchies."""
        return {"user": self._asker.users, "device": self._asker.devices, "hierarchy": self._asker.hierarchies}

    def check(self, user: str, action: str, device: str | None = None, *, object: str | None = None) -> Decision:  # noqa: A002 - the word that people see
        r"""Decide whether `user` can do `action` on `device`, with every reason.

        user: UPN, object id, SID or DOMAIN\name. action: id, title or synonym, with a variant
        behind a colon (`run-cmpivot:Administrators`). device: name, resource id, Intune or Entra id;
        for actions on a hierarchy its id. object: the script or application, where the action has one.
        Raises UnknownNameError, AmbiguousNameError or QuestionError.
        """
        return self._decide(self._asker.question(user, action, device, object))

    def verdict(self, user: str, action: str, device: str | None = None, *, object: str | None = None) -> Verdict:  # noqa: A002 - as in check
        """Return the verdict of `check` alone, in microseconds once the user is known."""
        question = self._asker.question(user, action, device, object)
        return self._decide(question).verdict if self.settings.strict else self._engine.verdict(question)

    def check_many(self, requests: Iterable[Request]) -> Iterator[Decision]:
        """Decide many requests, in their order, one at a time."""
        return (self.check(r.user, r.action, r.device, object=r.object) for r in requests)

    def with_changes(self, *changes: Change) -> Estate:
        """Return the estate as it would be after the changes. Raises QuestionError if one can't be made."""
        from permcheck.evaluate.change import changed

        try:
            tables = changed(self._tables, self._policy, changes)
            return self._changed(tables)
        except KeyError as error:
            message = f"a change names `{error.args[0]}`, which the estate does not have"
            raise QuestionError(message, "keys are those of `estate.tables`") from None

    def changes(self, *texts: str) -> tuple[Change, ...]:
        """Read changes written as KEY=VALUE, such as `use-intune-rbac=on`. Raises QuestionError."""
        from permcheck.what_if import read_changes

        return read_changes(self._asker, texts)

    def what_if(self, *texts: str) -> Estate:
        """Return the estate after changes written as KEY=VALUE. Raises QuestionError."""
        return self.with_changes(*self.changes(*texts))

    def find_action(self, name: str) -> tuple[Action, str | None]:
        """Return an action by any of its names, and the variant behind a colon. Raises UnknownNameError."""
        return self._asker.act(name)

    def with_settings(
        self, *, edition: str | None = None, readings: Mapping[str, str] | None = None, strict: bool = False
    ) -> Estate:
        """Return the same estate, with the documents read in another way. Raises QuestionError for unknown names."""
        chosen = tuple(sorted((readings or {}).items()))
        check_settings(self._policy, edition, chosen)
        return Estate(self._tables, self._policy, self.warnings, Settings(edition, chosen, strict), self._container)

    def review(self, users: Sequence[str] = (), actions: Sequence[str] = (), devices: Sequence[str] = ()) -> Review:
        """Return every answer about some users, actions and devices; without any, about all.

        Selectors are names, patterns such as `*@contoso.com`, `group:NAME`, `effect:act`,
        `collection:NAME` and `hierarchy:NAME`. Raises UnknownNameError, AmbiguousNameError or
        NothingSelectedError.
        """
        from permcheck.review.review import Review
        from permcheck.review.select import Chosen, select

        selection = select(self._asker, self._graph, Chosen(users, actions, devices))
        return Review(self.view, selection)

    def diff(
        self, other: Estate, users: Sequence[str] = (), actions: Sequence[str] = (), devices: Sequence[str] = ()
    ) -> Difference:
        """Return every answer that differs in another estate, by the edit that is responsible.

        Selectors are those of `review`; each may name what only one of the two has.
        """
        from permcheck.review.diff import Alone, Difference
        from permcheck.review.edits import Edit, edits
        from permcheck.review.graft import grafted
        from permcheck.review.select import Chosen, select_in_both

        found = edits(self._tables, other._tables, other._policy)

        def after(edit: Edit) -> View:
            return self._changed(grafted(self._tables, other._tables, edit.records)).view

        alone = (Alone(edit.text, partial(after, edit), edit) for edit in found)
        sides = [(self._asker, self._graph), (other._asker, other._graph)]
        selection = select_in_both(sides, Chosen(users, actions, devices))
        return Difference(self.view, other.view, selection, tuple(alone))

    def diff_of(
        self, *changes: Change, users: Sequence[str] = (), actions: Sequence[str] = (), devices: Sequence[str] = ()
    ) -> Difference:
        """Return every answer that would differ after some changes, by the change that is responsible."""
        from permcheck.evaluate.describe import describe
        from permcheck.review.diff import Alone, Difference
        from permcheck.review.select import Chosen, select

        after = self.with_changes(*changes)

        def after_one(change: Change) -> View:
            return self.with_changes(change).view

        alone = (Alone(describe(self._tables, self._policy, one), partial(after_one, one)) for one in changes)
        selection = select(self._asker, self._graph, Chosen(users, actions, devices))
        return Difference(self.view, after.view, selection, tuple(alone))

    @property
    def view(self) -> View:
        """The estate, and how the documents are read."""
        from permcheck.bulk.answers import View

        return View(self._engine, strict=self.settings.strict)

    def _changed(self, tables: Tables) -> Estate:
        return Estate(tables, self._policy, self.warnings, self.settings, self._container, self._engine)

    def _decide(self, question: Question) -> Decision:
        if self.settings.strict:
            from permcheck.evaluate.strict import strict_decision

            return self._with_radius(question, strict_decision(self._engine, question))
        return self._with_radius(question, decide(self._engine, question, further(self._engine, question)))

    def _with_radius(self, question: Question, decision: Decision) -> Decision:
        """Return a decision whose fixes say what else they would allow, the one that gives away least first.

        It is counted under the chosen readings, also where the question is asked strictly.
        """
        more = decision.further
        if more is None or decision.verdict is not Verdict.DENY:
            return decision

        def fixes() -> tuple[tuple[Fix, ...], str]:
            from permcheck.review.blast import radius

            with collector_off():
                found, why_not = more.fixes()
                opens = radius(self._engine, [fix.changes for fix in found], question)
            counted = [fix._replace(opens=count) for fix, count in zip(found, opens, strict=True)]
            return tuple(sorted(counted, key=lambda fix: (KINDS.index(fix.kind), fix.opens))), why_not

        return replace(decision, further=more._replace(fixes=fixes))


def check_settings(policy: Policy, edition: str | None, readings: tuple[tuple[str, str], ...]) -> None:
    """Refuse an edition, a reading or an alternative that is not there. Raises QuestionError."""
    if edition is not None and edition not in policy.editions:
        message = f"no edition is called `{edition}`"
        raise QuestionError(message, "known are " + ", ".join(policy.editions))
    for name, alternative in readings:
        if name not in policy.readings:
            near = Names("reading", ((r, (r,)) for r in policy.readings)).near(name)
            message = f"no reading is called `{name}`"
            raise QuestionError(message, f"did you mean `{near[0]}`?" if near else "`permcheck show policy` lists them")
        known = [a.id for a in policy.readings[name].alternatives]
        if alternative not in known:
            message = f"the reading `{name}` has no alternative `{alternative}`"
            raise QuestionError(message, "it is one of " + ", ".join(known))


def _read(root: Path, policy: Policy) -> Joined:
    """Read an estate, or exports of other tools."""
    if not holds_exports(root):
        return read_estate(root)
    from permcheck.exports.folder import read_exports  # an estate does not pay for it

    imported = read_exports((root,), policy)
    told = imported.gathered.read or (root.is_dir() and imported.unknown)
    return imported.joined if told or not has_estate_files(root) else read_estate(root)


def load(path: str | PathLike[str], *, container: Callable[[], Container] | None = None) -> Estate:
    """Load the estate in a file or folder. Raises LoadError with every problem.

    `container` holds the grant graph; by default a networkx.DiGraph.
    """
    policy = load_policy()
    with collector_off():
        tables, warnings = resolve(_read(Path(path), policy), policy)
        if container is None:
            from permcheck.graph.backend import (
                digraph,  # networkx takes 100 ms to import
            )

            container = digraph
        return Estate(tables, policy, warnings, container=container)
