//! Hostile input. Whatever a file holds, the command line ends by itself within its time, with a documented exit code,
//! without a panic; what it cannot read it names; and no odd byte hides a call that is off limits. The function answers
//! every one of them, and goes on.
//!
//! Everything is made here, at test time: no bomb lies in the repository.

mod cases;
mod files;
#[cfg(feature = "lambda")]
mod function;
mod make;
mod rules;
mod shell;
mod sizes;
mod values;
mod wrappings;
