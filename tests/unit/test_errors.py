import re
from collections.abc import Iterator

from pointbook import errors


def below(parent: type[Exception], depth: int = 0) -> Iterator[tuple[int, type[Exception]]]:
    """The errors of this module; a package that has errors of its own draws them itself."""
    for child in parent.__subclasses__():
        if child.__module__ != errors.__name__:
            continue
        yield depth, child
        yield from below(child, depth + 1)


def drawn() -> list[tuple[int, str]]:
    """Depth and name of every error in the tree that the module's docstring draws."""
    lines = re.findall(r"^([│ ]*)[├└]── (\w+)", errors.__doc__ or "", re.MULTILINE)
    return [(len(indent) // 4, name) for indent, name in lines]


def test_the_drawn_tree_is_the_real_one() -> None:
    real = [(depth, error.__name__) for depth, error in below(errors.PointbookError)]
    assert sorted(drawn()) == sorted(real)
