"""The pages, one per question or ending. They get values, give values, and know neither card nor office."""
