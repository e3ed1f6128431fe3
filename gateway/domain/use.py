"""What a line of a posting does to stock."""

from enum import StrEnum


class Use(StrEnum):
    """Consumed lines leave stock, the others enter it; a reversal's lines have negative quantities."""

    CONSUMED = "consumed"
    PRODUCED = "produced"
    BY_PRODUCT = "by-product"
    CO_PRODUCT = "co-product"
    RETURNED = "returned"  # from the line back to the warehouse
