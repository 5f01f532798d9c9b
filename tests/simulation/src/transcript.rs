use std::{cell::RefCell, rc::Rc};

/// The lines that tell a run to a person; nothing is kept unless it is asked for.
#[derive(Clone, Default)]
pub(crate) struct Transcript(Option<Rc<RefCell<Vec<String>>>>);

impl Transcript {
    pub(crate) fn kept() -> Self {
        Self(Some(Rc::default()))
    }

    pub(crate) fn is_kept(&self) -> bool {
        self.0.is_some()
    }

    pub(crate) fn note(&self, line: impl FnOnce() -> String) {
        if let Some(lines) = &self.0 {
            lines.borrow_mut().push(line());
        }
    }

    pub(crate) fn text(&self) -> String {
        self.0.as_ref().map(|lines| lines.borrow().join("\n")).unwrap_or_default()
    }
}
