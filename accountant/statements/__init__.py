"""Statements: each tenant's document of the month and the summary, for people to read.

`drawing_up` makes them of charges, a tenant at a time. `statement_document` and `summary_document`
put them into words and tables; `document_html`, `document_xlsx`, `document_markdown` and
`document_pdf` write these, and know nothing of what they say.
"""
