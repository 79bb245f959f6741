//! Futures that most invocations do without.

use std::pin::Pin;

/// Makes a future where only those pay for it who need it: in a frame of its own, and on the heap.
///
/// An `async fn` holds room for whatever it awaits, and the frame in which it is polled holds that once more: without this, a quiet
/// event would touch 120 pages of the stack (480 KB), a fifth of all page faults of a start, for roads that it never takes.
#[inline(never)]
pub(super) fn apart<'f, F: Future + Send + 'f>(
    make: impl FnOnce() -> F,
) -> Pin<Box<dyn Future<Output = F::Output> + Send + 'f>> {
    Box::pin(make())
}
