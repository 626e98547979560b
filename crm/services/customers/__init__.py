"""The life of a customer: added, held, followed up, lapsed, claimed, handed over, deleted and brought back."""
