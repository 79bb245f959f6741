//! Where records come from, be it memory, a run, or several of them.

use super::error::RunError;

/// Records in order, of which one stands at the head.
pub(super) trait Source {
    /// Goes on to the next record; whether there is one.
    fn advance(&mut self) -> Result<bool, RunError>;
    /// The key of the record at the head.
    fn key(&self) -> u128;
    /// Its fields.
    fn fields(&self) -> &[u8];
}
