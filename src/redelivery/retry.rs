//! When a message comes again, and when it is given up.

use std::time::Duration;

use super::message::{QueueMessage, QueueTask};
use super::queues::MAX_DELAY;
use crate::ids::spread;
use crate::time::Timestamp;

/// How long a delivery is tried before it is given up.
pub const DELIVERY_LIFETIME: Duration = Duration::from_hours(24);
/// The wait before the first redelivery; it doubles.
const INITIAL_BACKOFF: Duration = Duration::from_secs(30);
/// The longest wait that no vendor has asked for.
const MAX_BACKOFF: Duration = Duration::from_hours(1);

/// What becomes of a message after an attempt that failed.
#[derive(Debug, Clone)]
pub enum AfterAttempt<T> {
    /// It is due again at its `not_before`.
    TryAgain(QueueMessage<T>),
    /// Its lifetime is over.
    GiveUp(QueueMessage<T>),
}

impl<T> QueueMessage<T> {
    /// What a message that was given up becomes when people send it through again: due at once, with a whole lifetime. Any other
    /// stays as it is.
    #[must_use]
    pub fn reset_for_redrive(self, now: Timestamp) -> Self {
        match self.died {
            Some(_) => Self { attempts: 0, since: now, not_before: now, died: None, ..self },
            None => self,
        }
    }

    /// The message as it lies among the dead letters.
    #[must_use]
    pub fn into_dead_letter(self, now: Timestamp, reason: String) -> Self {
        Self { died: Some(now), reason, ..self }
    }

    /// What a message becomes that was not tried: it is due again as if it had been, and nothing is counted. `id` makes its wait
    /// differ from others'.
    #[must_use]
    pub fn postponed(self, now: Timestamp, id: &str, reason: String) -> Self {
        Self { not_before: now.plus(backoff(self.attempts, spread(id, self.attempts))), reason, ..self }
    }

    /// How long the queue is to hide it: in whole seconds, rounded up, since a message that comes too early has to wait again.
    pub fn delay(&self, now: Timestamp) -> Duration {
        let millis = self.not_before.since(now).as_millis();
        Duration::from_secs(u64::try_from(millis.div_ceil(1000)).unwrap_or(u64::MAX)).min(MAX_DELAY)
    }
}

impl<T: QueueTask> QueueMessage<T> {
    /// What the message becomes after an attempt that failed at `now` for this reason. `after` is the wait that the vendor asked
    /// for, and the message waits for at least as long. But the wait never goes beyond the end of the message's lifetime: it is
    /// then tried one last time, whatever the vendor wishes.
    #[must_use]
    pub fn after_attempt(self, now: Timestamp, after: Option<Duration>, reason: String) -> AfterAttempt<T> {
        let wait = backoff(self.attempts, spread(self.task.id(), self.attempts)).max(after.unwrap_or_default());
        let message = Self { attempts: self.attempts.saturating_add(1), reason, ..self };
        let end = message.since.plus(DELIVERY_LIFETIME);
        if now >= end {
            return AfterAttempt::GiveUp(message);
        }
        AfterAttempt::TryAgain(Self { not_before: now.plus(wait).min(end), ..message })
    }
}

/// The wait after an attempt that failed, where `earlier_attempts` had failed before it. It doubles each time. `spread` (from 0
/// to 1) makes it up to a quarter shorter or longer, so that what failed together does not come back together.
fn backoff(earlier_attempts: u32, spread: f64) -> Duration {
    let wait = INITIAL_BACKOFF.saturating_mul(1 << earlier_attempts.min(16)).min(MAX_BACKOFF);
    wait.mul_f64(0.75 + 0.5 * spread.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::finding::Finding;
    use crate::redelivery::DigestTask;

    fn epoch() -> Timestamp {
        Timestamp::from_millis(0)
    }

    fn message() -> QueueMessage<DigestTask> {
        let finding = Finding::test(Arc::from("rules"), "2026-01-10T11:32:44Z".to_owned());
        let task = DigestTask { minute: 7, finding: Box::new(finding) };
        QueueMessage::new("soc", task, epoch(), epoch(), "HTTP 500")
    }

    #[test]
    fn waits_double_to_an_hour_and_differ_by_a_quarter() {
        let waits: Vec<u64> = (0..9).map(|attempts| backoff(attempts, 0.5).as_secs()).collect();
        assert_eq!(waits, [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
        assert_eq!((backoff(2, 0.0).as_secs(), backoff(2, 1.0).as_secs()), (90, 150));
        assert_eq!(backoff(u32::MAX, 0.5), MAX_BACKOFF);
    }

    #[test]
    fn a_message_is_given_up_after_a_day_and_begins_a_new_life_if_it_is_sent_through_again() {
        let (mut message, mut now) = (message(), epoch());
        let dead = loop {
            match message.after_attempt(now, None, "HTTP 500".to_owned()) {
                AfterAttempt::TryAgain(again) => (now, message) = (again.not_before, again),
                AfterAttempt::GiveUp(dead) => break dead,
            }
        };
        assert_eq!(now.since(epoch()), DELIVERY_LIFETIME);
        assert!((26..=36).contains(&dead.attempts), "{}", dead.attempts);
        let dead = dead.into_dead_letter(now, "gave up".to_owned());
        assert_eq!((dead.died, dead.reason.as_str()), (Some(now), "gave up"));
        let again = dead.reset_for_redrive(now);
        assert_eq!((again.attempts, again.died, again.since, again.not_before), (0, None, now, now));
    }

    #[test]
    fn the_vendors_wait_is_kept_but_not_beyond_the_end() {
        let later = |after| match message().after_attempt(epoch(), Some(Duration::from_secs(after)), String::new()) {
            AfterAttempt::TryAgain(message) => message.not_before,
            AfterAttempt::GiveUp(message) => panic!("{message:?}"),
        };
        assert_eq!(later(3600), epoch().plus(Duration::from_hours(1)));
        assert!((22_500..=37_500).contains(&later(1).millis()), "{:?}", later(1));
        assert_eq!(later(1_000_000), epoch().plus(DELIVERY_LIFETIME));
    }

    #[test]
    fn a_long_wait_is_made_of_several_and_none_is_too_short() {
        let mut message = message();
        message.not_before = Timestamp::from_millis(2_000_001);
        assert_eq!(message.delay(epoch()), MAX_DELAY);
        assert_eq!(message.delay(Timestamp::from_millis(1_999_000)), Duration::from_secs(2));
        assert_eq!(message.delay(Timestamp::from_millis(2_000_001)), Duration::ZERO);
    }
}
