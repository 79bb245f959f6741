//! What is said of `rules.json`: mistakes, warnings and notes, each at its place; by the compiler, the lints and the schema.

mod beside;
mod forms;
mod lints;
mod members;
mod mistakes;
mod schema;
