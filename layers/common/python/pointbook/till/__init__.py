"""The shop's till (POS): one interface (`till.member.Till`), one adapter for each provider.

An adapter loads its HTTP library, so it is imported by its own name, and only where a till is
configured: `from pointbook.till.smaregi import SmaregiTill`.
"""
