"""What a checkpoint of any family knows by its autoencoder."""

from typing import Any


class Coded:
    """A checkpoint that has a ``vae``."""

    __slots__ = ()
    vae: Any

    @property
    def grid(self) -> int:
        """Pixels per latent."""
        return int(2 ** (len(self.vae.config.block_out_channels) - 1))

    @property
    def channels(self) -> int:
        """Numbers of a latent."""
        return int(self.vae.config.latent_channels)
