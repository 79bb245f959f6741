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
//! is what the log says of it, `quiet.rs` is how what matched nothing is counted, and `answer.rs` is what Lambda gets. `crate::aws::run` calls [`handle`] in the function, and
//! [`preview`] on a laptop, where nothing is sent.
//!
//! What holds whatever fails around it has names: [`Invariant`].

mod answer;
mod apart;
mod app;
mod classify;
mod dispatch;
pub mod emf;
mod invariant;
mod invocation;
mod invocation_store;
mod lineage;
mod mover;
mod order;
mod outcome;
mod own_calls;
mod preview;
mod quiet;
mod report;
mod strays;
mod subject;
mod sweep;
mod test_alert;
mod worker;

pub use self::answer::{ChannelReport, HandleError, Handled, Response};
pub use self::app::{App, GRACE};
pub use self::invariant::Invariant;
pub use self::invocation::handle;
pub use self::own_calls::OwnCalls;
pub use self::preview::{
    FindingPreview, MessagePreview, Preview, ThresholdPreview, first_message, led, preview, rendered,
};
pub use self::quiet::QuietRecords;
pub use self::report::{Deliveries, Findings, InvocationReport, SpokeLetters, SweepCounts};
pub use self::sweep::{DeployedRules, Watch};
