"""Jobs and pixels: the queue, the engine and what joins them."""
