"""A context around every call of a function, whatever kind of function it is."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import AbstractContextManager
from typing import Any, TypeVar, cast

T = TypeVar("T")


def within(target: T, enter: Callable[[], AbstractContextManager[Any]]) -> T:
    """*target*, each call of which is made in a context of its own.

    Functions, coroutines and generators (fixtures that yield) stay what they are. Of a class the
    methods are meant whose names begin with ``test``.
    """
    if isinstance(target, type):
        for name, member in list(vars(target).items()):
            if name.startswith("test"):
                setattr(target, name, _member(member, enter))
        return cast(T, target)
    return cast(T, _wrapped(cast(Callable[..., Any], target), enter))


def _member(member: Any, enter: Callable[[], AbstractContextManager[Any]]) -> Any:
    """A member of a class, wrapped if it is a method of any sort."""
    if isinstance(member, (staticmethod, classmethod)):
        return type(member)(_wrapped(member.__func__, enter))
    return _wrapped(member, enter) if inspect.isfunction(member) else member


def _wrapped(
    function: Callable[..., Any], enter: Callable[[], AbstractContextManager[Any]]
) -> Callable[..., Any]:
    @functools.wraps(function)
    def plain(*args: Any, **kwargs: Any) -> Any:
        with enter():
            return function(*args, **kwargs)

    @functools.wraps(function)
    def generator(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        with enter():
            return (yield from function(*args, **kwargs))

    @functools.wraps(function)
    async def coroutine(*args: Any, **kwargs: Any) -> Any:
        with enter():
            return await function(*args, **kwargs)

    @functools.wraps(function)
    async def async_generator(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        with enter():
            async for item in function(*args, **kwargs):
                yield item

    if inspect.iscoroutinefunction(function):
        return coroutine
    if inspect.isasyncgenfunction(function):
        return async_generator
    if inspect.isgeneratorfunction(function):
        return generator
    return plain
