//! `offlimits import`: what it writes says what was meant.
//!
//! Sigma: against another engine, on every record at hand, for rules in all the shapes that `SigmaHQ` uses; and against a
//! matcher of a page, for random rules on random records.

mod conformity;
mod correlations;
mod differential;
mod random;
mod sigma;
mod terraform;
