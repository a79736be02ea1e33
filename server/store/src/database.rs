//! The one connection of a process: opened when first needed, and again after the file or the disk failed us.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use rusqlite::Connection;

use crate::error::{Failure, StoreError};
use crate::open::{FileId, Opened, STRANGER, open};
use crate::recover::recover;

/// The database of a home, open or not.
#[derive(Debug)]
pub(crate) struct Database {
    home: PathBuf,
    file: PathBuf,
    opened: Option<Opened>,
    /// What the user is to be told.
    notices: Vec<String>,
}

impl Database {
    pub(crate) fn new(home: PathBuf) -> Self {
        Self { file: home.join("state.db"), home, opened: None, notices: Vec::new() }
    }

    /// Writes, all or nothing, into a database that is made if there is none.
    pub(crate) fn write<T>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        self.attempt(|database| {
            let connection = database.connection()?;
            work(connection)
        })
    }

    /// Reads; says nothing, and makes nothing, when there is no database.
    pub(crate) fn read<T: Default>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        self.attempt(|database| {
            if !database.is_there()? {
                database.close();
                return Ok(T::default());
            }
            let connection = database.connection()?;
            work(connection)
        })
    }

    /// Returns what the user is to be told, once.
    pub(crate) fn take_notices(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notices)
    }

    /// Lets go of the file.
    pub(crate) fn close(&mut self) {
        self.opened = None;
    }

    /// Does something once. After an error of the file or the disk nothing that the connection holds is believed any
    /// more, and the operation is not tried again: after a failed `fsync` nobody knows what is on the disk.
    fn attempt<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Failure>) -> Result<T, StoreError> {
        let result = work(self).map_err(|failure| failure.of(&self.file));
        if let Err(error) = &result
            && !error.spares_connection()
        {
            tracing::warn!(%error, "the store is closed until it is needed again");
            self.close();
        }
        result
    }

    fn connection(&mut self) -> Result<&mut Connection, StoreError> {
        // A file that was deleted or replaced would take everything we write with it, and no error would tell.
        if self.opened.as_ref().is_some_and(|opened| Some(opened.id) != FileId::of(&self.file)) {
            tracing::warn!(file = %self.file.display(), "the store was moved or deleted while in use");
            self.close();
        }
        let opened = match self.opened.take() {
            Some(opened) => opened,
            None => match open(&self.home, &self.file) {
                Err(StoreError::Damaged { reason, .. }) if reason != STRANGER => {
                    let (opened, notice) = recover(&self.home, &self.file, &reason)?;
                    self.notices.extend(notice);
                    opened
                }
                opened => opened?,
            },
        };
        Ok(&mut self.opened.insert(opened).connection)
    }

    /// Tells whether there is a database; one that was made and never written is none.
    fn is_there(&self) -> Result<bool, StoreError> {
        match fs::metadata(&self.file) {
            Ok(metadata) => Ok(metadata.is_dir() || metadata.len() > 0),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(StoreError::io(&self.file, &error)),
        }
    }
}
