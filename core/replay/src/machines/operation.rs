use alloc::{
    collections::VecDeque,
    string::{String, ToString},
    vec::Vec,
};

use flovyn_protocol::Payload;

use crate::{Handle, by_name::ByName, signature::Signature};

/// The operations of an execution: what `ctx.run` began.
///
/// ```text
///                begun with a record ----------------------------------------+
/// begun without --poll_operation--> running --its result--> finished         |
/// finished --all begun before it under its name have finished--> recordable  |
/// recordable --a submission takes it--> submitted ---------------------------+--its event, at the cursor--> settled
/// ```
/// A server without the extension cannot give the event back before the end of the activation: there a recordable
/// operation is recorded and settled in one step, once no job of the history is left, and its event says nothing new.
///
/// An operation is recorded when it has finished, not when it begins. So one that has no record may have been
/// running when a later event was written, and it is no violation by itself to find none while other events are
/// unclaimed. It is not executed before all of them are claimed, because operations are started only when no job
/// is left; and if the code has changed, the cursor stops at the event that nobody claims.
#[derive(Debug, Default)]
pub(crate) struct Operations {
    lines: Vec<Line>,
    by_name: ByName<LineId>,
    unclaimed: usize,
    unstarted: VecDeque<Handle>,
    /// Begun and not finished, in order.
    executing: Vec<(Handle, LineId)>,
    recordable: VecDeque<Finished>,
}

/// All operations of one name. They are recorded in the order in which they began, so the k-th record belongs to
/// the k-th of them.
#[derive(Debug, Default)]
struct Line {
    name: String,
    recorded: u32,
    begun: u32,
    /// Begun, and their events not passed, in order.
    unsettled: VecDeque<Handle>,
    /// Begun without a record and not recordable yet, in order.
    unrecorded: VecDeque<(Handle, Progress)>,
}

/// Where a name's operations are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LineId(usize);

#[derive(Debug)]
enum Progress {
    Unstarted,
    Running,
    Finished(Payload),
}

/// An operation whose record can be made.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) handle: Handle,
    pub(crate) name: String,
    pub(crate) result: Payload,
}

impl Operations {
    /// Takes an OPERATION_COMPLETED event in; gives its line and its ordinal there.
    pub(crate) fn record(&mut self, name: &str) -> (LineId, u32) {
        let id = self.line_id(name);
        let line = &mut self.lines[id.0];
        let ordinal = line.recorded;
        line.recorded += 1;
        if ordinal >= line.begun {
            self.unclaimed += 1;
        }
        (id, ordinal)
    }

    /// The next operation of that name has a record to claim.
    pub(crate) fn has_record(&self, name: &str) -> bool {
        self.by_name.get(name).is_some_and(|id| self.lines[id.0].recorded > self.lines[id.0].begun)
    }

    pub(crate) fn begin(&mut self, name: &str, handle: Handle) {
        let id = self.line_id(name);
        let line = &mut self.lines[id.0];
        let claims = line.recorded > line.begun;
        line.begun += 1;
        line.unsettled.push_back(handle);
        if claims {
            self.unclaimed -= 1;
            return;
        }
        line.unrecorded.push_back((handle, Progress::Unstarted));
        self.executing.push((handle, id));
        self.unstarted.push_back(handle);
    }

    pub(crate) fn start_next(&mut self) -> Option<Handle> {
        let handle = self.unstarted.pop_front()?;
        self.set(handle, Progress::Running);
        Some(handle)
    }

    /// Takes the result of a running operation in; what can be recorded now becomes recordable, in this order.
    pub(crate) fn finish(&mut self, handle: Handle, result: Payload) {
        self.set(handle, Progress::Finished(result));
        let Ok(index) = self.executing.binary_search_by_key(&handle, first) else { return };
        let (_, id) = self.executing.remove(index);
        let line = &mut self.lines[id.0];
        while let Some((handle, progress)) = line.unrecorded.pop_front() {
            let Progress::Finished(result) = progress else {
                line.unrecorded.push_front((handle, progress));
                return;
            };
            self.recordable.push_back(Finished { handle, name: line.name.clone(), result });
        }
    }

    /// The next one to record, in finish order.
    pub(crate) fn take_recordable(&mut self) -> Option<Finished> {
        self.recordable.pop_front()
    }

    /// The handle that the next event of the line belongs to.
    pub(crate) fn settle(&mut self, line: LineId) -> Option<Handle> {
        self.lines[line.0].unsettled.pop_front()
    }

    fn line_id(&mut self, name: &str) -> LineId {
        if let Some(id) = self.by_name.get(name) {
            return *id;
        }
        let id = LineId(self.lines.len());
        self.lines.push(Line { name: name.to_string(), ..Line::default() });
        self.by_name.insert(name.to_string(), id);
        id
    }

    /// Handles of a line ascend, so the search does not cost more with many of them.
    fn set(&mut self, handle: Handle, progress: Progress) {
        let Some(id) = self.line_of(handle) else { return };
        let line = &mut self.lines[id.0];
        if let Ok(index) = line.unrecorded.binary_search_by_key(&handle, |(handle, _)| *handle) {
            line.unrecorded[index].1 = progress;
        }
    }

    fn line_of(&self, handle: Handle) -> Option<LineId> {
        let index = self.executing.binary_search_by_key(&handle, first).ok()?;
        self.executing.get(index).map(|(_, id)| *id)
    }

    pub(crate) fn is_running(&self, handle: Handle) -> bool {
        let unrecorded = self.line_of(handle).map(|id| &self.lines[id.0].unrecorded);
        unrecorded.is_some_and(|line| {
            let index = line.binary_search_by_key(&handle, |(handle, _)| *handle);
            index.is_ok_and(|index| matches!(line[index].1, Progress::Running))
        })
    }

    pub(crate) fn is_claimed(&self, line: LineId, ordinal: u32) -> bool {
        ordinal < self.lines[line.0].begun
    }

    pub(crate) fn name(&self, line: LineId) -> &str {
        &self.lines[line.0].name
    }

    pub(crate) fn signature(&self, line: LineId) -> Signature<'_> {
        Signature::Operation { name: &self.lines[line.0].name }
    }

    pub(crate) fn unclaimed(&self) -> usize {
        self.unclaimed
    }

    pub(crate) fn has_unstarted(&self) -> bool {
        !self.unstarted.is_empty()
    }

    pub(crate) fn has_running(&self) -> bool {
        !self.executing.is_empty()
    }

    pub(crate) fn has_recordable(&self) -> bool {
        !self.recordable.is_empty()
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.lines.capacity() * size_of::<Line>() + self.by_name.memory_bytes()
    }

    /// The operation that changed code probably began in the place of an event: the oldest without a record, else
    /// the oldest that waits for its own.
    pub(crate) fn suspect(&self, waiting_too: bool) -> Option<(Handle, Signature<'_>)> {
        let unrecorded =
            self.lines.iter().filter_map(|line| Some((line.unrecorded.front()?.0, line))).min_by_key(first);
        let waiting = || {
            let unsettled = self.lines.iter().filter_map(|line| Some((*line.unsettled.front()?, line)));
            unsettled.min_by_key(first).filter(|_| waiting_too)
        };
        unrecorded.or_else(waiting).map(|(handle, line)| (handle, Signature::Operation { name: &line.name }))
    }
}

fn first<T>((handle, _): &(Handle, T)) -> Handle {
    *handle
}
