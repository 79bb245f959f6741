//! The roll-up of a silence: it comes when the silence has ended, also where somebody ended it before its time.
//!
//! SQS hides nothing for longer than a quarter of an hour, so that the order comes by now and then in any case. It comes by every
//! minute, and looks whether its silence still runs, by what this process reads of silences once a minute anyway.

use std::ops::ControlFlow;

use super::channel_worker::ChannelWorker;
use crate::deliver::Transport;
use crate::finding::Finding;
use crate::handler::outcome::StageResult;
use crate::ledger::{AFTER_EARLY_END, LOOKS_AGAIN_AFTER, SilenceOrder, SilenceStanding, Store, silence_roll_up_due};
use crate::redelivery::{QueueError, QueueMessage, Queues, RollUpTask};

impl<T: Transport, S: Store, Q: Queues> ChannelWorker<'_, T, S, Q> {
    /// Whether a silence may hold a finding back: no roll-up could follow without a queue, and what our own role does is never
    /// silenced.
    pub(super) fn may_be_silenced(&self, finding: &Finding) -> bool {
        self.app.queues.has_redelivery() && !self.app.own.is_by_our_role(&finding.call)
    }

    /// Puts the roll-up of a silence into the queue.
    ///
    /// # Errors
    /// That it was not taken, and why.
    pub(super) async fn order_roll_up_of_silence(&self, task: RollUpTask) -> Result<(), QueueError> {
        let Some(silence) = &task.silence else { return Ok(()) };
        let due = silence_roll_up_due(silence.until).min(self.now().plus(LOOKS_AGAIN_AFTER));
        self.try_enqueue(&self.new_message(task, due, "the roll-up of a silence")).await
    }

    /// Puts the roll-up of a silence that has not ended back into the queue; any other goes on.
    pub(super) async fn await_end_of_silence(
        &self,
        message: QueueMessage<RollUpTask>,
    ) -> StageResult<QueueMessage<RollUpTask>> {
        let Some(silence) = message.task.silence.clone() else { return ControlFlow::Continue(message) };
        let (now, due) = (self.now(), silence_roll_up_due(silence.until));
        // Of one that was seen to have ended, it has waited long enough.
        if now >= due || silence.ended {
            return ControlFlow::Continue(message);
        }
        let (silences, ledger) = (self.app.ledger.silences(), self.ledger);
        let ended = ledger.silence_standing(silences, &silence.id, now).await == SilenceStanding::Ended;
        let wait = if ended { AFTER_EARLY_END } else { LOOKS_AGAIN_AFTER };
        let (rest, task) = message.split();
        let task = RollUpTask { silence: Some(SilenceOrder { ended, ..silence }), ..task };
        let later = QueueMessage { not_before: due.min(now.plus(wait)), ..rest.with_task(task) };
        let later = QueueMessage { since: later.not_before, ..later };
        ControlFlow::Break(self.enqueue(&later).await)
    }
}
