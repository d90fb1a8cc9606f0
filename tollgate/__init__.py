"""Tollgate: token accounting and chargeback for Azure OpenAI."""
