"""Images: smaller variants, and pages and style sheets that use them."""
