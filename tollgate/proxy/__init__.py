"""How a request is served: identity, routing, breaker, failover, relay. Knows no web framework."""
