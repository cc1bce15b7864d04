"""Getting what is published: files, results of queries, frames; politely, whole or not at all."""
