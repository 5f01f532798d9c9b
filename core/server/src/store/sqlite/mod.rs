//! One SQLite file, written by one thread in groups of requests.

#[cfg(test)]
mod behaviour;
mod deadlines;
mod executions;
mod idempotency;
mod lists;
mod newest;
mod promises;
mod queries;
mod ready;
mod record;
mod schema;
mod state;
mod task_attempts;
mod task_lists;
mod task_logs;
mod task_state;
mod tasks;
mod transaction;
mod workers;

use std::{fs, io, path::Path};

use flovyn_orchestrator::{Lists, Status, StoreError, StreamLimits, Streams, Wake, Warning};
use rusqlite::Connection;

use self::{
    record::failed,
    transaction::{BEGIN, Transaction},
};

/// An open database.
#[derive(Debug)]
pub(crate) struct Store {
    connection: Connection,
    last_number: i64,
    /// Whether a request of the current group has written.
    written: bool,
    /// What the requests of the current group want done after its commit.
    effects: Committed,
    /// They are in memory alone.
    streams: Streams,
}

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Its folder cannot be made.
    #[error("cannot make its folder: {0}")]
    Folder(#[from] io::Error),
    /// Another process has it open.
    #[error("another server has it open: stop that one, or choose another folder with --data")]
    InUse,
    /// It cannot be opened or set up.
    #[error("{0}")]
    Sqlite(rusqlite::Error),
    /// Its tables cannot be brought to the form that this version needs.
    #[error("{0}; was it written by a newer version?")]
    Migration(rusqlite_migration::Error),
}

/// What a commit has brought about outside the database.
#[derive(Debug, Default)]
pub(crate) struct Committed {
    /// Who is woken, in the order in which things happened; none where [`Store::take_wakes`] was asked after each request.
    pub(crate) wakes: Vec<Wake>,
    /// The earliest of the deadlines that were set, in milliseconds since 1970.
    pub(crate) earliest_due_ms: Option<i64>,
    /// What the people who run the server should know.
    pub(crate) warnings: Vec<Warning>,
}

impl Committed {
    fn due(&mut self, due_ms: i64) {
        self.earliest_due_ms = self.earliest_due_ms.into_iter().chain([due_ms]).min();
    }

    fn append(&mut self, later: Self) {
        self.wakes.extend(later.wakes);
        self.warnings.extend(later.warnings);
        if let Some(due_ms) = later.earliest_due_ms {
            self.due(due_ms);
        }
    }
}

impl Store {
    /// Opens a file, or makes it, and brings its tables up to date. The file belongs to this process from then on,
    /// since what it waits for and wakes is known to this process only.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut connection = Connection::open(path).map_err(OpenError::Sqlite)?;
        schema::prepare(&mut connection)?;
        let last_number = schema::last_number(&connection).map_err(OpenError::Sqlite)?;
        Ok(Self { connection, last_number, written: false, effects: Committed::default(), streams: Streams::default() })
    }

    /// How much of what tasks stream is kept. What was kept before is forgotten.
    pub(crate) fn limit_streams(&mut self, limits: StreamLimits) {
        self.streams = Streams::new(limits);
    }

    /// Begins a group of requests.
    pub(crate) fn begin(&mut self) -> Result<(), Status> {
        self.effects = Committed::default();
        self.written = false;
        Ok(self.batch(BEGIN)?)
    }

    /// Runs one request. If it fails, it has left no trace.
    ///
    /// The outer error is that of the store, the inner one that of the request.
    pub(crate) fn attempt<T, E>(
        &mut self,
        request: impl FnOnce(&mut dyn Lists) -> Result<T, E>,
    ) -> Result<Result<T, E>, Status> {
        self.still_begun()?;
        let mut transaction =
            Transaction::new(&self.connection, &mut self.last_number, &mut self.written, &mut self.streams);
        let result = request(&mut transaction);
        let ended = match &result {
            Ok(_) => transaction.release().map(|effects| self.effects.append(effects)),
            Err(_) => transaction.roll_back(),
        };
        if let Err(error) = ended {
            // What this request wrote cannot be told from what the others wrote any more: the group is lost.
            self.roll_back();
            return Err(error.into());
        }
        Ok(result)
    }

    /// The wakes that no commit has told yet.
    pub(crate) fn take_wakes(&mut self) -> Vec<Wake> {
        std::mem::take(&mut self.effects.wakes)
    }

    /// Puts the group on the disk. If that fails, nothing of it is stored.
    pub(crate) fn commit(&mut self) -> Result<Committed, Status> {
        let committed = self.still_begun().and_then(|()| self.batch("COMMIT"));
        if let Err(error) = committed {
            self.roll_back();
            return Err(error.into());
        }
        self.streams.settle();
        Ok(std::mem::take(&mut self.effects))
    }

    /// Moves everything from the log into the file and closes it.
    pub(crate) fn close(self) -> Result<(), StoreError> {
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())).map_err(failed)?;
        self.connection.close().map_err(|(_, error)| failed(error))
    }

    /// SQLite rolls back the whole group by itself when the disk is full or fails: nothing may run outside of it then.
    fn still_begun(&self) -> Result<(), StoreError> {
        match self.connection.is_autocommit() {
            true => Err(StoreError::Unavailable("its group of requests was rolled back".to_owned())),
            false => Ok(()),
        }
    }

    fn roll_back(&mut self) {
        self.streams.roll_back_to(0);
        self.effects = Committed::default();
        if !self.connection.is_autocommit() {
            // A failure is logged where it is found, and the next BEGIN meets it again.
            let _ = self.batch("ROLLBACK");
        }
    }

    fn batch(&self, sql: &str) -> Result<(), StoreError> {
        record::execute(&self.connection, sql, ())
    }
}
