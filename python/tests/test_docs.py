"""What the documentation shows is run: the README's examples, `docs/python.md`, and those of the docstrings."""

import doctest
import inspect
import re
from pathlib import Path

import podwire
import pytest

ROOT = Path(__file__).parents[2]


def documented():
    """Every docstring of the package with an example in it."""
    found = {"podwire": podwire.__doc__}
    for name in podwire.__all__:
        thing = getattr(podwire, name)
        found[name] = inspect.getdoc(thing) if callable(thing) else None
        if inspect.isclass(thing):
            found |= {f"{name}.{key}": getattr(part, "__doc__", None) for key, part in vars(thing).items()}
    return [(name, text) for name, text in found.items() if isinstance(text, str) and ">>>" in text]


@pytest.mark.parametrize("name, text", documented(), ids=[name for name, _ in documented()])
def test_the_examples_of_a_docstring_hold(request, name, text):
    names = {"podwire": podwire, "getfixture": request.getfixturevalue}
    example = doctest.DocTestParser().get_doctest(inspect.cleandoc(text), names, name, None, 0)
    assert doctest.DocTestRunner().run(example).failed == 0


@pytest.mark.parametrize("page", ["python/README.md", "docs/python.md"])
def test_the_examples_of_a_page_run_in_their_order(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert blocks
    names = {"__name__": "__main__"}
    try:
        for block in blocks:
            exec(compile(block, page, "exec"), names)
    finally:
        podwire.FastIOContext.remove("demo")


def test_every_public_name_is_documented():
    for name in podwire.__all__:
        thing = getattr(podwire, name)
        if inspect.isclass(thing) or inspect.isroutine(thing):
            assert thing.__doc__, name
            methods = vars(thing).items() if inspect.isclass(thing) else ()
            for key, part in methods:
                if not key.startswith("_") and (inspect.isroutine(part) or inspect.isgetsetdescriptor(part)):
                    assert part.__doc__, f"{name}.{key}"


def test_every_error_has_a_class_and_every_class_is_exported():
    for name, kind in vars(podwire.errors).items():
        if inspect.isclass(kind):
            assert issubclass(kind, podwire.Error) and getattr(podwire, name) is kind
