"""Tags and lyrics as the transformer wants them."""
