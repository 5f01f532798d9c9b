use alloc::collections::VecDeque;

use crate::signature::Signature;

/// A command event, as far as a command is compared with it or takes something from it.
pub(crate) trait Record {
    /// What is compared.
    fn signature(&self) -> Signature<'_>;
}

/// The commands of one type and the events of that type: the n-th claims the n-th.
///
/// An event is known by its ordinal. It is claimed as soon as as many commands have been issued, whether the event
/// was there first (replay) or the command (live); so nothing has to be marked, and nothing has to be found again.
#[derive(Debug)]
pub(crate) struct Lane<R> {
    unclaimed: VecDeque<(i32, R)>,
    recorded: u32,
    issued: u32,
}

impl<R: Record> Lane<R> {
    pub(crate) fn new() -> Self {
        Self { unclaimed: VecDeque::new(), recorded: 0, issued: 0 }
    }

    /// Takes the next event in; gives its ordinal, and the record back where a live command already stands for it.
    pub(crate) fn record(&mut self, sequence: i32, record: R) -> (u32, Option<R>) {
        let ordinal = self.recorded;
        self.recorded += 1;
        if ordinal < self.issued {
            return (ordinal, Some(record));
        }
        self.unclaimed.push_back((sequence, record));
        (ordinal, None)
    }

    /// Takes the next command in; gives the event that it claims.
    pub(crate) fn issue(&mut self) -> Option<R> {
        self.issued += 1;
        self.unclaimed.pop_front().map(|(_, record)| record)
    }

    /// The event that the next command will claim, and its sequence number.
    pub(crate) fn front(&self) -> Option<(i32, Signature<'_>)> {
        self.unclaimed.front().map(|(sequence, record)| (*sequence, record.signature()))
    }

    pub(crate) fn is_claimed(&self, ordinal: u32) -> bool {
        ordinal < self.issued
    }

    pub(crate) fn unclaimed(&self) -> usize {
        self.unclaimed.len()
    }
}
