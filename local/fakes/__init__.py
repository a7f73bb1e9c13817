"""Fakes of Shopify and of the till, for a laptop without any accounts.

Both speak HTTP on 127.0.0.1 and have a control API (`control.py`) that makes them slow, fail,
throttle, hang, lose replies or forget a customer. Nothing of this package is deployed.
"""
