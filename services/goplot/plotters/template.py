"""A user's own command: any program that creates plots."""

from goplot.plotters.base import Request

#: What a template may name in braces.
NAMES = (
    "k",
    "compression",
    "folder",
    "temp2",
    "farmer_public_key",
    "pool_contract_address",
    "pool_public_key",
)


def has_second(template: tuple[str, ...]) -> bool:
    """Whether a template names a second temporary folder."""
    return any("{temp2}" in part for part in template)


def command(template: tuple[str, ...], request: Request) -> list[str]:
    """The template with every name in braces filled in; `{{` and `}}` stand for braces.

    Raises ValueError for a name that is not in NAMES.
    """
    values = {
        "k": request.format.k,
        "compression": request.format.compression,
        "folder": request.folder,
        "temp2": request.temp2,
        "farmer_public_key": request.farmer_public_key,
        "pool_contract_address": request.pool_contract_address,
        "pool_public_key": request.pool_public_key,
    }
    try:
        return [part.format_map(values) for part in template]
    except (KeyError, IndexError, AttributeError) as error:
        raise ValueError(f"{error} can't be filled in; known: {', '.join(NAMES)}") from error
