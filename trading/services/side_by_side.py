"""Several accounts read at once: the work on each stays in its order, the waiting is shared.

A conversation is a generator: it yields the questions it has for its venue, gets the answers, and
returns when it is done. A venue that does not answer costs all of them one deadline together.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, Generic, TypeVar
from uuid import UUID

from trading.services.apart import apart
from trading.services.venues import READ_SECONDS, Venues

T = TypeVar("T")

Questions = Sequence[Coroutine[Any, Any, Any]]
# An answer is what the venue said, or the exception that kept it from saying anything.
Answers = list[Any]
Conversation = Generator[Questions, Answers, T]


def side_by_side(conversations: Mapping[UUID, Conversation[T]], venues: Venues) -> dict[UUID, T]:
    """Carry each account's conversation to its end; return by account what each returned.

    One that breaks is logged, is in no answer, and keeps none of the others from ending.
    """
    ended: dict[UUID, T] = {}
    heard: dict[UUID, Answers | None] = dict.fromkeys(conversations)
    while heard:
        asked: dict[UUID, Questions] = {}
        # Where the process ends in between, nobody asks what was prepared.
        with ExitStack() as prepared:
            for account_id, answers in heard.items():
                step = partial(_step, conversations[account_id], answers)
                match apart(step, "account not read", account=account_id):
                    case _Ended(returned=returned):
                        ended[account_id] = returned
                    case [*questions]:
                        asked[account_id] = questions
                        for question in questions:
                            prepared.callback(question.close)
            prepared.pop_all()
        heard = _ask(asked, venues)
    return ended


def alone(conversation: Conversation[T], venues: Venues) -> T:
    """Carry one conversation to its end and return what it returned; what breaks it is raised."""
    step = _step(conversation, None)
    while not isinstance(step, _Ended):
        step = _step(conversation, venues.call_all(step, READ_SECONDS))
    return step.returned


@dataclass(frozen=True, slots=True)
class _Ended(Generic[T]):
    returned: T


def _step(conversation: Conversation[T], answers: Answers | None) -> Questions | _Ended[T]:
    """Carry a conversation on with the answers, or begin it, until it asks again or ends."""
    try:
        return next(conversation) if answers is None else conversation.send(answers)
    except StopIteration as end:
        return _Ended(end.value)


def _ask(asked: Mapping[UUID, Questions], venues: Venues) -> dict[UUID, Answers | None]:
    """Ask all at once and return each account's answers, in the order of its questions."""
    answers = iter(venues.call_all(list(chain.from_iterable(asked.values())), READ_SECONDS))
    return {
        account_id: [next(answers) for _ in questions] for account_id, questions in asked.items()
    }
