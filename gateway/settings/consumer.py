"""Who pulls the posting log by name."""

from pydantic import Field

from gateway.settings.base import Settings

# It is part of a URL: /api/v1/consumers/{name}/ack.
CONSUMER_NAME = r"^[A-Za-z0-9._-]{1,64}$"


class ConsumerSettings(Settings):
    """A central system that reads /api/v1/postings and acknowledges what it booked."""

    consumer: str = Field(pattern=CONSUMER_NAME, description="the name it acknowledges under")
    required: bool = Field(description="retention waits for its acknowledgement before it deletes anything")
