//! One invocation: a payload in, alerts out, and a report of every finding and delivery.
//!
//! ```text
//! invocation: open → evaluate → classify → dispatch ┬→ worker of channel 1 ┬→ answer
//!                                                   └→ worker of channel 2 ┘
//! a worker, for a finding:     admit → guard → render ┬→ send → settle
//!           for a message: await_due → claim → guard  ┘
//! ```
//! [`handle`] (`invocation.rs`) is the first line, step by step. `worker/stages.rs` is the second, and `worker/mod.rs` has a
//! table of the stages. What did not arrive, or has to wait, is put into a queue by `worker/hand_over.rs`. A message that orders
//! a sum (a roll-up or a digest) is rendered before it is claimed; any other was rendered before it was queued.
//!
//! `app.rs` is what every invocation finds ready, `outcome.rs` and `report.rs` are how each end is counted and logged, `subject.rs`
//! is what the log says of it, and `answer.rs` is what Lambda gets. `crate::aws::run` calls [`handle`] in the function.
//!
//! # Invariants
//! Their names are used where they are kept, and where they are checked.
//!
//! - `SumsHold`: every finding and every delivery is counted once where it comes from, and once where it ends
//!   ([`InvocationReport::adds_up`]). What is counted where it ends has a line in the log, and nothing else has one.
//! - `ToldOrQueued`: a delivery that ends in any way but *failed* has told somebody, or has left a message in a queue that will,
//!   or is counted for a sum that is in the queue, or was done with before.
//! - `FailureIsAnswered`: an error means "try again". What *failed*, and what could not be read, makes the answer an error, or
//!   stands in a batch's answer by its message's id. So does a message for which no time was left, and which nobody has touched:
//!   it is counted as *queued*, for that is where it is. Nothing else makes the answer an error.
//! - `TimeIsKept`: attempts to deliver end before the deadline, and all else so soon after it that Lambda gets its answer. Nothing
//!   is begun for which there is no time: a message is left untouched in its queue, and a finding is handed to the queue as it is.
//! - `OrderedBeforeHeldBack`: a roll-up or a digest is in the queue before the first finding is held back for it.
//! - `ClaimOutlivesClaimer`: a claim ends after the process that made it, and a minute later at most: what a process that died
//!   had claimed is taken up again.
//! - `NothingHeldBackBlindly`: where the ledger does not answer, the alert goes out, perhaps twice.

mod answer;
mod app;
mod classify;
mod dispatch;
pub mod emf;
mod invocation;
mod invocation_store;
mod outcome;
mod own_calls;
mod report;
mod strays;
mod subject;
mod test_alert;
mod worker;

pub use self::answer::{ChannelReport, HandleError, Handled, Response};
pub use self::app::{App, GRACE};
pub use self::invocation::handle;
pub use self::own_calls::OwnCalls;
pub use self::report::{Deliveries, Findings, InvocationReport};
