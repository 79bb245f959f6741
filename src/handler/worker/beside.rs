//! A question that is asked beside what an alert waits for anyway, and whose answer is left out where it does not come in time.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::time::timeout;

/// How long an alert waits for the answer when it needs it. It has come by then as a rule; and to drop a question is to close its
/// connection, so that the next one has to be made anew.
const PATIENCE: Duration = Duration::from_millis(50);

/// A question, until it is answered or given up, and its answer: `None` where nobody knows, or where it has not come in time.
pub(super) struct Beside<F, A> {
    question: Option<F>,
    answer: Option<A>,
}

impl<A: Copy, F: Future<Output = Option<A>> + Unpin> Beside<F, A> {
    /// The question, which is asked as soon as it has something to stand beside.
    pub(super) const fn new(question: F) -> Self {
        Self { question: Some(question), answer: None }
    }

    /// What `main` gives. The question goes on meanwhile, and delays nothing.
    pub(super) async fn with<M>(&mut self, main: impl Future<Output = M>) -> M {
        let Some(question) = &mut self.question else { return main.await };
        // The main one is asked first, whenever both can go on.
        match select(pin!(main), question).await {
            Either::Left((main, _)) => main,
            Either::Right((answer, main)) => {
                (self.question, self.answer) = (None, answer);
                main.await
            }
        }
    }

    /// The answer, for which somebody waits now: not for long, and once.
    pub(super) async fn answer(&mut self) -> Option<A> {
        if let Some(question) = self.question.take() {
            self.answer = timeout(PATIENCE, question).await.ok().flatten();
        }
        self.answer
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, sleep};

    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// The answer to a question that takes so long, beside two things that take 10 ms each; and how long all of it takes.
    async fn answered_after(takes: Duration) -> (Option<u8>, Duration) {
        let begun = Instant::now();
        let question = pin!(async {
            sleep(takes).await;
            Some(7)
        });
        let mut beside = Beside::new(question);
        assert_eq!(beside.with(async { sleep(ms(10)).await }).await, ());
        assert_eq!(beside.with(async { sleep(ms(10)).await }).await, ());
        let answer = beside.answer().await;
        // Whoever asks again waits no more.
        assert_eq!(beside.answer().await, answer);
        (answer, begun.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_costs_nothing_until_it_is_needed() {
        assert_eq!(answered_after(ms(5)).await, (Some(7), ms(20)));
        assert_eq!(answered_after(ms(15)).await, (Some(7), ms(20)));
        assert_eq!(answered_after(ms(60)).await, (Some(7), ms(60)));
        assert_eq!(answered_after(ms(600)).await, (None, ms(70)));
    }
}
