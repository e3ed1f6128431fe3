"""A command line as people write it: a number below zero is no option."""

import re
from itertools import pairwise

import typer
from typer.core import TyperCommand

_NEGATIVE = re.compile(r"-\.?\d")


class Written(TyperCommand):
    """A command that says of an argument below zero what is wrong with it, instead of looking for an option `-5`."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]  # typer's own context class is private
        """Read the command line; BadParameter names an argument below zero. An option may have such a value."""
        valued = {name for one in self.params if not getattr(one, "is_flag", False) for name in one.opts}
        options = {name for name in valued if name.startswith("-")}
        for before, one in pairwise(("", *args)):
            if before == "--":
                break
            if _NEGATIVE.match(one) and before not in options:
                raise typer.BadParameter(f"{one} is below zero: a quantity or number is written without a sign")
        return super().parse_args(ctx, args)
