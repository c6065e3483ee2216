"""The report: what each route transfers, and advice, as data and as one page."""
