"""What every sink has, whatever its destination."""

from pydantic import Field

from gateway.settings.base import Duration, Settings


class SinkSettings(Settings):
    """A destination of the posting log; `kind` chooses the module in sinks/."""

    sink: str = Field(min_length=1, description="its name; watermarks are kept under it")
    kind: str = Field(description="the destination's protocol")
    batch: int = Field(default=200, ge=1, le=5000, description="documents in one request")
    retry_after: Duration = Field(default=1.0, gt=0, description="first pause after a failure; it doubles")
    retry_at_most: Duration = Field(default=60.0, gt=0, description="longest pause between two tries")
    required: bool = Field(default=True, description="retention waits for this sink")
    decimals: int | None = Field(
        default=None, ge=0, le=12, description="most decimals of a quantity the central system holds (SAP: 3)"
    )

    @property
    def unsafe(self) -> str:
        """What anybody on the network can read or forge, as a sentence; empty where that is nothing."""
        return ""
