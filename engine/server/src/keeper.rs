//! The store of a running node: not made yet, open, or given away to a process that takes over.

use std::path::{Path, PathBuf};

use control::NodeError;
use model::{Account, Change};
use settings::Settings;
use store::{FILE_NAME, Store, StoreError};

use crate::trouble::Trouble;

/// Who keeps what the control plane is told.
pub(crate) struct Keeper {
    directory: PathBuf,
    state: State,
}

enum State {
    /// Nothing was ever written: the first change makes the store, so that who only serves files finds no new folder.
    Unmade,
    Open(Store),
    /// A process that is to take over has it, or may have it.
    GivenAway,
}

impl Keeper {
    /// Opens the store of the data directory. A node that serves files and whose directory nobody named makes none
    /// before there is something to keep.
    ///
    /// # Errors
    /// Another process has it, or it can't be read.
    pub(crate) fn open(settings: &Settings) -> Result<(Self, Account), Trouble> {
        let directory = settings.data_dir.clone();
        let is_default = directory == Path::new(settings::DEFAULT_DATA_DIR);
        if is_default && !settings.files.is_empty() && !directory.join(FILE_NAME).exists() {
            return Ok((Keeper { directory, state: State::Unmade }, Account::default()));
        }
        let (store, account) = Store::open(&directory).map_err(|error| trouble(&error))?;
        Ok((Keeper { directory, state: State::Open(store) }, account))
    }

    /// Makes changes durable.
    ///
    /// # Errors
    /// The store can't be had now, or the disk fails: nothing was written.
    pub(crate) fn commit(&mut self, changes: &[Change]) -> Result<(), NodeError> {
        let unavailable = |error: StoreError| {
            eprintln!("turnpike: {error}");
            NodeError::Unavailable(format!("the change can't be kept: {error}"))
        };
        if matches!(self.state, State::Unmade) {
            let (store, account) = Store::open(&self.directory).map_err(unavailable)?;
            if account != Account::default() {
                let message = "another process has begun to use this data directory; restart this one";
                return Err(NodeError::Unavailable(message.to_owned()));
            }
            self.state = State::Open(store);
        }
        match &mut self.state {
            State::Open(store) => store.commit(changes).map_err(unavailable),
            State::Unmade | State::GivenAway => {
                Err(NodeError::Unavailable("another process is taking over; try again".to_owned()))
            }
        }
    }

    /// Closes the store for a process that takes over; changes are refused from now on.
    pub(crate) fn give_away(&mut self) {
        if let State::Open(store) = std::mem::replace(&mut self.state, State::GivenAway) {
            store.close();
        }
    }

    /// Opens it again after nobody took over.
    ///
    /// # Errors
    /// It can't be opened; changes are refused on.
    pub(crate) fn take_back(&mut self) -> Result<(), Trouble> {
        if matches!(self.state, State::GivenAway) {
            self.state = match self.directory.join(FILE_NAME).exists() {
                true => State::Open(Store::open(&self.directory).map_err(|error| trouble(&error))?.0),
                false => State::Unmade,
            };
        }
        Ok(())
    }
}

fn trouble(error: &StoreError) -> Trouble {
    Trouble::new(format!("the control plane's store can't be opened: {error}")).with_help(error.help())
}
