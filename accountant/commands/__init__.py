"""The commands and what they share: what is typed, what is opened, what is said, where it goes."""
