//! Open documents, as the editor has them: the editor owns the text, this is its mirror.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ropey::Rope;

use crate::text::{PositionEncoding, RangeError, TextRange};

/// A document's URI, byte for byte as the client wrote it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentUri(Arc<str>);

impl DocumentUri {
    /// Wraps the client's own string.
    pub fn new(uri: impl Into<Arc<str>>) -> Self {
        Self(uri.into())
    }

    /// Returns the client's own string.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One change of a `textDocument/didChange`: a range and its replacement, or the whole text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentChange {
    /// What is replaced; the whole text when absent.
    pub range: Option<TextRange>,
    /// What stands there afterwards.
    pub text: String,
}

/// An open document.
#[derive(Clone, Debug)]
pub struct Document {
    /// The client's own name of it.
    pub uri: DocumentUri,
    /// The file behind it; none for `untitled:` and other schemes.
    pub path: Option<PathBuf>,
    /// The language the client gave it.
    pub language_id: String,
    /// The client's version of the text, whatever direction it goes.
    pub version: i32,
    /// The text.
    pub text: Rope,
    /// Set when a change could not be applied: the mirror is not the editor's text any more, until the whole text comes.
    pub out_of_sync: bool,
}

/// The open documents of one client.
#[derive(Clone, Debug, Default)]
pub struct Documents {
    by_uri: BTreeMap<DocumentUri, Document>,
    by_path: BTreeMap<PathBuf, DocumentUri>,
    /// The last save of each file that the client told of, the newest [`MOST_SAVES`], also of files that are closed.
    saves: BTreeMap<PathBuf, Save>,
    /// How many saves there were.
    saved: u64,
}

/// How many saves are remembered.
const MOST_SAVES: usize = 256;

/// A save: which it was, and of what text.
#[derive(Clone, Debug)]
struct Save {
    number: u64,
    text: Rope,
}

impl Documents {
    /// Takes in a document; one that is open already is replaced, its version may start again.
    pub fn open(&mut self, document: Document) {
        if let Some(path) = &document.path {
            self.by_path.insert(path.clone(), document.uri.clone());
        }
        self.by_uri.insert(document.uri.clone(), document);
    }

    /// Drops a document and returns it.
    pub fn close(&mut self, uri: &DocumentUri) -> Option<Document> {
        let document = self.by_uri.remove(uri)?;
        if let Some(path) = &document.path
            && self.by_path.get(path) == Some(uri)
        {
            self.by_path.remove(path);
        }
        Some(document)
    }

    /// Returns the document that the client calls by exactly this string.
    pub fn get(&self, uri: &DocumentUri) -> Option<&Document> {
        self.by_uri.get(uri)
    }

    /// Returns the document to be changed.
    pub fn get_mut(&mut self, uri: &DocumentUri) -> Option<&mut Document> {
        self.by_uri.get_mut(uri)
    }

    /// Returns the document of a file, however the client spells its URI.
    pub fn by_path(&self, path: &Path) -> Option<&Document> {
        self.by_uri.get(self.by_path.get(path)?)
    }

    /// Takes note that the client has written a document to its file.
    pub fn save(&mut self, uri: &DocumentUri) {
        let Some(Document { path: Some(path), text, .. }) = self.by_uri.get(uri) else { return };
        self.saved += 1;
        self.saves.insert(path.clone(), Save { number: self.saved, text: text.clone() });
        if self.saves.len() > MOST_SAVES
            && let Some(oldest) = self.saves.iter().min_by_key(|(_, save)| save.number)
        {
            let oldest = oldest.0.clone();
            self.saves.remove(&oldest);
        }
    }

    /// Returns the files that the client has written since an earlier state of these documents, each with its text.
    pub fn saved_since<'a>(&'a self, earlier: &'a Self) -> impl Iterator<Item = (&'a Path, &'a Rope)> {
        let since = self.saves.iter().filter(|(_, save)| save.number > earlier.saved);
        since.map(|(path, save)| (path.as_path(), &save.text))
    }

    /// Returns all documents, in the order of their URIs.
    pub fn iter(&self) -> impl Iterator<Item = &Document> {
        self.by_uri.values()
    }
}

impl Document {
    /// Applies one change.
    ///
    /// A range that ends before it starts changes nothing, and the document is out of sync from then on; a document
    /// that is out of sync takes only whole texts.
    pub fn apply(&mut self, change: &ContentChange, encoding: PositionEncoding) -> Result<(), RangeError> {
        let Some(range) = change.range else {
            self.text = Rope::from_str(&change.text);
            self.out_of_sync = false;
            return Ok(());
        };
        if self.out_of_sync {
            return Ok(());
        }
        match range.to_chars(&self.text, encoding) {
            Ok(chars) => {
                self.text.remove(chars.clone());
                self.text.insert(chars.start, &change.text);
                Ok(())
            }
            Err(error) => {
                self.out_of_sync = true;
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests;
