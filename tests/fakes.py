"""Stand-ins for what a test must be able to set: few, and each with the real one's behaviour."""


class Clock:
    """Unix seconds that pass when told to."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds
