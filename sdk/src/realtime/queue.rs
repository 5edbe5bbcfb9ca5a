//! A listener's queue: bounded, and honest when it is full.
//!
//! When the queue is full, everything in it is thrown away and one [`Gap::Overflow`] takes its place, then the
//! new item. So a listener that falls behind loses what is old, is told so before it reads on, and the memory
//! of a stream has an end.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::realtime::Gap;

/// What lies in a queue.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item<T> {
    News(T),
    Gap(Gap),
}

/// One listener's items. Filled by the driver, emptied by one reader.
pub(super) struct Queue<T> {
    room: usize,
    state: Mutex<State<T>>,
}

struct State<T> {
    items: VecDeque<Item<T>>,
    waker: Option<Waker>,
    /// Nothing comes any more.
    ended: bool,
    /// Nobody reads any more.
    abandoned: bool,
}

impl<T> Queue<T> {
    /// Holds so many items, and at least two: a gap and what comes after it.
    pub(super) fn new(room: usize) -> Self {
        let state = State { items: VecDeque::new(), waker: None, ended: false, abandoned: false };
        Self { room: room.max(2), state: Mutex::new(state) }
    }

    pub(super) fn push(&self, item: Item<T>) {
        let mut state = self.state();
        if state.ended || state.abandoned {
            return;
        }
        if state.items.len() >= self.room {
            let lost = state.items.iter().map(|item| match item {
                Item::Gap(Gap::Overflow { lost }) => *lost,
                Item::News(_) => 1,
                Item::Gap(_) => 0, // the one that takes its place says the same
            });
            let lost = lost.sum();
            state.items.clear();
            state.items.push_back(Item::Gap(Gap::Overflow { lost }));
        }
        state.items.push_back(item);
        state.wake();
    }

    /// Says that nothing comes any more; what is there is still read.
    pub(super) fn end(&self) {
        let mut state = self.state();
        state.ended = true;
        state.wake();
    }

    /// Says that nobody reads any more.
    pub(super) fn abandon(&self) {
        let mut state = self.state();
        state.abandoned = true;
        state.items.clear();
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.state().abandoned
    }

    pub(super) fn poll(&self, context: &Context<'_>) -> Poll<Option<Item<T>>> {
        let mut state = self.state();
        match state.items.pop_front() {
            Some(item) => Poll::Ready(Some(item)),
            None if state.ended => Poll::Ready(None),
            None => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(queue: &Queue<u32>) -> Vec<Item<u32>> {
        let context = Context::from_waker(Waker::noop());
        std::iter::from_fn(|| match queue.poll(&context) {
            Poll::Ready(item) => item,
            Poll::Pending => None,
        })
        .collect()
    }

    #[test]
    fn a_full_queue_says_what_it_lost_and_goes_on() {
        let queue = Queue::new(3);
        (0..3).for_each(|number| queue.push(Item::News(number)));
        queue.push(Item::News(3));
        assert_eq!(drain(&queue), [Item::Gap(Gap::Overflow { lost: 3 }), Item::News(3)]);
        (0..8).for_each(|number| queue.push(Item::News(number)));
        // 0 to 2 went for 3, and 3 and 4 for 5: a gap counts on from the one it replaces.
        let left = drain(&queue);
        assert_eq!(left[0], Item::Gap(Gap::Overflow { lost: 7 }));
        assert_eq!(left[1..], [Item::News(7)]);
    }

    #[test]
    fn what_is_there_is_read_before_the_end() {
        let queue = Queue::new(3);
        queue.push(Item::News(1));
        queue.end();
        queue.push(Item::News(2));
        let context = Context::from_waker(Waker::noop());
        assert_eq!(queue.poll(&context), Poll::Ready(Some(Item::News(1))));
        assert_eq!(queue.poll(&context), Poll::Ready(None));
        queue.abandon();
        assert!(queue.is_abandoned());
    }
}
