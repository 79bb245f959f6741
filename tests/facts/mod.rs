//! Derived fields over the space of shapes: what means the same reads the same, however a call says it; and what is said of
//! networks is compared with a judge of packets, which knows nothing of the code under test.

mod credentials;
mod deletion;
mod machines;
mod networks;
mod rules;
pub(crate) mod shapes;
mod spelling;
mod world;
