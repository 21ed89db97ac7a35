"""Is the built site fast, light and open to all? Lighthouse, axe and the weight of pages, as `make audit` runs them."""
