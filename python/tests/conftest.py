"""Pipelines for tests: each has its own, which is gone afterwards."""

import itertools
import os

import podwire
import pytest

numbers = itertools.count()


@pytest.fixture(autouse=True)
def names(doctest_namespace):
    doctest_namespace["podwire"] = podwire


@pytest.fixture
def pipeline():
    name = f"pytest-{os.getpid()}-{next(numbers)}"
    yield name
    podwire.FastIOContext.remove(name)


@pytest.fixture
def context(pipeline):
    context = podwire.FastIOContext(pipeline)
    yield context
    context.close()
