//! Reads archives of log files: inputs → bytes → documents → records, on every core, in memory that does not grow with the
//! archive, and in an order that does not depend on the cores.
//!
//! [`files`] names the inputs in their order, `batch` puts small ones together, `unpack` gives their bytes (`gzip` those of damaged ones), `split` cuts what is too
//! large to be held whole, with the rows of tables as lines (`csv`) and ahead of its reader where a thread is idle (`ahead`), and `pool` does all that on several threads and hands the results over in the inputs' order. What is made of a record is the
//! caller's: a [`RecordVisitor`]. [`Scan::run`] puts them together.

mod ahead;
mod batch;
mod buffer;
mod csv;
mod elements;
pub mod files;
mod gzip;
mod input;
pub mod layout;
mod pool;
mod run;
#[cfg(feature = "s3")]
pub mod s3;
mod split;
mod unpack;
mod visit;

pub use self::csv::lines_of_table;
pub use self::input::{Input, RemoteInput};
pub use self::run::{Scan, all_cores};
pub use self::unpack::gunzipped;
pub use self::visit::{RecordVisitor, ScanEvent};
