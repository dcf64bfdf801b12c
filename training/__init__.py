"""How the embedded checkpoint was made: art, scenes, captions, autoencoder, diffusion, judge."""
