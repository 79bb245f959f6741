//! Works on items on several threads, and hands over what they make of them in the items' order.
//!
//! A thread that is ahead of its turn waits once its channel is full, so that memory is bounded however uneven the items
//! are. The item whose turn it is always has a thread, for items are taken in order: nothing can wait for ever.

use std::io;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Messages that travel together, for a channel costs more than a message.
const BATCH: usize = 64;
/// Batches that wait in one item's channel.
const BATCHES: usize = 4;
/// Items for each thread that may be finished before their turn.
const AHEAD: usize = 4;

/// Where the messages of one item go.
pub(super) struct Sender<T> {
    channel: SyncSender<Vec<T>>,
    batch: Vec<T>,
    closed: bool,
}

impl<T> Sender<T> {
    fn new() -> (Self, Receiver<Vec<T>>) {
        let (channel, receiver) = mpsc::sync_channel(BATCHES);
        (Self { channel, batch: Vec::new(), closed: false }, receiver)
    }

    pub(super) fn send(&mut self, message: T) {
        self.batch.push(message);
        if self.batch.len() >= BATCH {
            self.flush();
        }
    }

    /// Whether nobody listens any more.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    fn flush(&mut self) {
        let batch = std::mem::take(&mut self.batch);
        self.closed |= !batch.is_empty() && self.channel.send(batch).is_err();
    }
}

/// Threads for which there are no more items, so that others may have something done beside them. A scan has no more threads at work
/// than it was given.
#[derive(Debug, Default)]
pub(super) struct IdleThreads(AtomicUsize);

impl IdleThreads {
    pub(super) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes one; false if there is none.
    pub(super) fn take(&self) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |idle| idle.checked_sub(1)).is_ok()
    }
}

/// Calls `work` with each item, on `threads` threads that each have a state of their own, and `take` with each message, on
/// this thread. An error of `take` ends it all, and is returned. A thread that finds no item any more is added to `idle`.
pub(super) fn in_order<I, S, T: Send>(
    threads: NonZero<usize>,
    idle: &IdleThreads,
    items: impl Iterator<Item = I> + Send,
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, I, &mut Sender<T>) + Sync,
    take: impl FnMut(T) -> io::Result<()>,
) -> io::Result<()> {
    let (order, turns) = mpsc::sync_channel::<Receiver<Vec<T>>>(threads.get() * AHEAD);
    let items = Mutex::new(items);
    let next = |order: &SyncSender<Receiver<Vec<T>>>| {
        // An item is taken and put in the order under one lock, so that the two agree.
        let mut items = items.lock().unwrap_or_else(PoisonError::into_inner);
        let item = items.next()?;
        let (sender, receiver) = Sender::new();
        order.send(receiver).ok()?;
        Some((item, sender))
    };
    thread::scope(|scope| {
        for _ in 0..threads.get() {
            let (order, next, state, work) = (order.clone(), &next, &state, &work);
            scope.spawn(move || {
                let mut state = state();
                while let Some((item, mut sender)) = next(&order) {
                    work(&mut state, item, &mut sender);
                    sender.flush();
                }
                // What it kept is given back first: the next may need as much.
                drop(state);
                idle.add();
            });
        }
        drop(order);
        // It ends when the last thread has dropped its sender; at an error `turns` goes, and whoever still sends is told that
        // nobody listens.
        turns.into_iter().flatten().flatten().try_for_each(take)
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const THREADS: NonZero<usize> = NonZero::new(3).unwrap();

    /// Item `n` makes `n % 700` messages, and each third one is slow.
    fn work(_: &mut (), item: usize, sender: &mut Sender<(usize, usize)>) {
        if item.is_multiple_of(3) {
            thread::sleep(Duration::from_millis(2));
        }
        (0..item % 700).for_each(|message| sender.send((item, message)));
    }

    #[test]
    fn messages_come_in_the_order_of_the_items() {
        let mut came = Vec::new();
        in_order(
            THREADS,
            &IdleThreads::default(),
            0..750,
            || (),
            work,
            |message| {
                came.push(message);
                Ok(())
            },
        )
        .unwrap();
        let expected: Vec<_> = (0..750).flat_map(|item| (0..item % 700).map(move |message| (item, message))).collect();
        assert_eq!(came, expected);
    }

    #[test]
    fn an_error_of_the_taker_ends_everything() {
        let begun = AtomicUsize::new(0);
        let endless = |(): &mut (), _: usize, sender: &mut Sender<usize>| {
            begun.fetch_add(1, Ordering::Relaxed);
            while !sender.is_closed() {
                sender.send(1);
            }
        };
        let result = in_order(
            THREADS,
            &IdleThreads::default(),
            0..,
            || (),
            endless,
            |_| Err(io::Error::from(io::ErrorKind::BrokenPipe)),
        );
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        assert!(begun.load(Ordering::Relaxed) <= 2 * THREADS.get());
    }

    #[test]
    fn who_is_ahead_waits() {
        // While the first item is not done, the others may not pile up more than their channels hold.
        let made = AtomicUsize::new(0);
        let work = |(): &mut (), item: usize, sender: &mut Sender<usize>| {
            if item == 0 {
                thread::sleep(Duration::from_millis(100));
            }
            for _ in 0..100_000 {
                made.fetch_add(usize::from(item > 0), Ordering::Relaxed);
                sender.send(item);
            }
        };
        let mut ahead = None;
        in_order(
            THREADS,
            &IdleThreads::default(),
            0..6,
            || (),
            work,
            |_| {
                ahead.get_or_insert_with(|| made.load(Ordering::Relaxed));
                Ok(())
            },
        )
        .unwrap();
        assert!(ahead.unwrap() <= 2 * BATCH * (BATCHES + 2), "{ahead:?}");
    }
}
