//! What will be called, before it is.

use std::io::{self, Write};

use serde::Serialize;

use super::marked::Place;
use super::plan::PlannedCall;
use super::table::CallTable;
use crate::cli::drill::exercise::LeftOut;
use crate::cli::drill::report::NotDrilled;
use crate::cli::words::counted;

/// What will be called, as one object.
#[derive(Debug, Serialize)]
pub(super) struct PlanReport<'p> {
    account: &'p str,
    region: &'p str,
    calls: Vec<CallLine<'p>>,
    not_drilled: Vec<NotDrilled>,
}

/// A call of the plan.
#[derive(Debug, Serialize)]
struct CallLine<'p> {
    rule: &'p str,
    service: &'p str,
    call: &'p str,
    /// By what it is called, of which there is nothing.
    name: &'p str,
    why_harmless: String,
    /// The code with which AWS refuses it.
    error: &'p str,
    /// The rules that will find something in its record.
    exercises: &'p [String],
    docs: String,
}

impl<'p> PlanReport<'p> {
    pub(super) fn of(
        table: &CallTable,
        place: &'p Place<'p>,
        planned: &'p [PlannedCall<'p>],
        left_out: &[LeftOut],
    ) -> Self {
        let line = |planned: &'p PlannedCall<'p>| CallLine {
            rule: &planned.rule,
            service: planned.call.service,
            call: planned.call.call,
            name: &planned.marked.name,
            why_harmless: planned.call.why(),
            error: planned.call.error,
            exercises: &planned.exercises,
            docs: table.docs(planned.call),
        };
        Self {
            account: &place.caller.account,
            region: place.region,
            calls: planned.iter().map(line).collect(),
            not_drilled: NotDrilled::of(left_out),
        }
    }

    /// For people.
    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let calls = counted(self.calls.len(), "call");
        writeln!(out, "{calls} in the account {} in {}, each of which AWS refuses:", self.account, self.region)?;
        let width = self.calls.iter().map(|call| call.rule.len()).max().unwrap_or_default();
        for CallLine { rule, service, call, why_harmless, .. } in &self.calls {
            writeln!(out, "  {rule:width$}  {service}:{call}: {why_harmless}")?;
        }
        Ok(())
    }
}
