"""What other systems read: FOCUS, an ERP journal, Parquet."""
