"""What actions ask for, held against what a role gives."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.roles import roles_of
from permcheck.evaluate.plan import Branch, Leaf, Tree, make_plan
from permcheck.evaluate.question import Question, World
from permcheck.model.decision import Side
from permcheck.model.policy import GrantTest, RightTest
from permcheck.model.policy_index import Policy


def needed(policy: Policy, action: str, side: Side) -> tuple[str, ...]:
    """Return the permissions that an action asks for on one side today, all of them, under the default readings."""
    question = Question("", policy.actions[action])
    world = World(next(reversed(policy.editions)), max(policy.versions), None, None, None)
    plan = make_plan(policy, question, world, policy.defaults())
    return tuple(dict.fromkeys(_permissions(plan.sides[side])))


def _permissions(tree: Tree) -> Iterator[str]:
    if isinstance(tree, Leaf):
        test = tree.test
        if isinstance(test, RightTest) and test.permission != "any":
            yield test.permission
        elif isinstance(test, GrantTest):
            yield tree.need.permission or test.permission
    elif isinstance(tree, Branch) and tree.kind == "all":
        for child in tree.children:
            yield from _permissions(child)


def one_short(context: Context) -> Iterator[Finding]:
    """Find roles that have all that a page asks for, and one of `permissions_rights`, but not its one acting right."""
    roles, policy = roles_of(context), context.policy
    for action in context.data("actions"):
        wanted = needed(policy, action, "configmgr")
        act = next(p for p in wanted if policy.permissions[p].effect == "act")
        others, rights = set(wanted) - {act}, set(context.data("permissions_rights"))
        for role in roles.custom("configmgr"):
            has_all_others = role.permissions >= others and not rights.isdisjoint(role.permissions)
            if has_all_others and roles.lacks(role, act) and not roles.recommended(role):
                message = f"`{role.name}` has all that {policy.actions[action].title} needs but `{policy.title(act)}`"
                yield context.finding(role.place, message, f"{role.name}/{action}")
