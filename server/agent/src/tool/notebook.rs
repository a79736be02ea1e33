//! Jupyter notebooks as text: where their cells stand, so that an edit of one leaves every other byte alone.
//!
//! Format: nbformat 4, <https://nbformat.readthedocs.io/en/latest/format_description.html>.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// A notebook's text and where its cells stand.
#[derive(Debug)]
pub(super) struct Notebook<'a> {
    text: &'a str,
    /// Where the list of cells stands.
    list: Range<usize>,
    pub(super) cells: Vec<Cell<'a>>,
    /// Whether cells must have an id: since version 4.5 of the format.
    pub(super) has_ids: bool,
}

/// A cell and where it stands.
#[derive(Debug)]
pub(super) struct Cell<'a> {
    pub(super) span: Range<usize>,
    /// Where its source stands.
    pub(super) source: Range<usize>,
    /// The source as it stands there.
    raw: &'a str,
    pub(super) kind: String,
}

#[derive(Deserialize)]
struct RawNotebook<'a> {
    #[serde(borrow)]
    cells: &'a RawValue,
    nbformat: u32,
    #[serde(default)]
    nbformat_minor: u32,
}

#[derive(Deserialize)]
struct RawCell<'a> {
    cell_type: String,
    #[serde(borrow)]
    source: &'a RawValue,
}

/// A source as notebooks have it: in lines, or in one piece.
#[derive(Deserialize)]
#[serde(untagged)]
enum Source {
    Lines(Vec<String>),
    Whole(String),
}

impl<'a> Notebook<'a> {
    /// Finds the cells of a notebook, or says what is wrong with it.
    pub(super) fn parse(text: &'a str) -> Result<Self, serde_json::Error> {
        let RawNotebook { cells: list, nbformat, nbformat_minor } = serde_json::from_str(text)?;
        let raw: Vec<&RawValue> = serde_json::from_str(list.get())?;
        let cell = |raw: &&'a RawValue| {
            let RawCell { cell_type: kind, source } = serde_json::from_str(raw.get())?;
            Ok(Cell { span: span(text, raw), source: span(text, source), raw: source.get(), kind })
        };
        let cells: Result<Vec<Cell<'a>>, serde_json::Error> = raw.iter().map(cell).collect();
        Ok(Self {
            text,
            list: span(text, list),
            cells: cells?,
            has_ids: (nbformat, nbformat_minor) >= (4, 5),
        })
    }

    /// Returns the text with a value in the place of another, written as the values around are.
    pub(super) fn with(
        &self,
        place: &Range<usize>,
        value: &impl Serialize,
    ) -> Result<String, serde_json::Error> {
        Ok(self.spliced(place, &self.rendered(value, &self.indent_at(place.start))?))
    }

    /// Returns the text with a new cell before the one of this index, or at the end.
    pub(super) fn with_cell(&self, index: usize, cell: &Value) -> Result<String, serde_json::Error> {
        let (indent, unit) = (self.cell_indent(), self.unit());
        let rendered = self.rendered(cell, &indent)?;
        let gap = if self.is_pretty() { format!("\n{indent}") } else { String::new() };
        let space = if self.is_pretty() { "" } else { " " };
        Ok(match (index.checked_sub(1).and_then(|before| self.cells.get(before)), self.cells.get(index)) {
            (Some(before), _) => {
                self.spliced(&(before.span.end..before.span.end), &format!(",{space}{gap}{rendered}"))
            }
            (None, Some(behind)) => {
                self.spliced(&(behind.span.start..behind.span.start), &format!("{rendered},{space}{gap}"))
            }
            (None, None) => {
                let end = if self.is_pretty() { format!("\n{unit}") } else { String::new() };
                self.spliced(&self.list, &format!("[{gap}{rendered}{end}]"))
            }
        })
    }

    /// Returns the text without a cell.
    pub(super) fn without_cell(&self, index: usize) -> Option<String> {
        let cell = self.cells.get(index)?;
        let before = index.checked_sub(1).and_then(|before| self.cells.get(before));
        Some(match (before, self.cells.get(index + 1)) {
            (_, Some(behind)) => self.spliced(&(cell.span.start..behind.span.start), ""),
            (Some(before), None) => self.spliced(&(before.span.end..cell.span.end), ""),
            (None, None) => self.spliced(&self.list, "[]"),
        })
    }

    /// Returns a part of the text.
    pub(super) fn part(&self, range: &Range<usize>) -> &'a str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    fn spliced(&self, place: &Range<usize>, new: &str) -> String {
        [self.part(&(0..place.start)), new, self.part(&(place.end..self.text.len()))].concat()
    }

    fn rendered(&self, value: &impl Serialize, indent: &str) -> Result<String, serde_json::Error> {
        if !self.is_pretty() {
            return serde_json::to_string(value);
        }
        let (unit, mut bytes) = (self.unit(), Vec::new());
        let formatter = serde_json::ser::PrettyFormatter::with_indent(unit.as_bytes());
        value.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, formatter))?;
        // A text in JSON has no line ending of its own, so each one here is followed by an indentation.
        Ok(String::from_utf8_lossy(&bytes).replace('\n', &format!("\n{indent}")))
    }

    /// Tells whether the notebook has its values on lines of their own.
    fn is_pretty(&self) -> bool {
        self.text.trim_end().contains('\n')
    }

    /// Returns what lists and objects are indented by.
    fn unit(&self) -> String {
        let first = self.text.lines().nth(1).unwrap_or_default();
        let unit: String = first.chars().take_while(|c| matches!(c, ' ' | '\t')).collect();
        if unit.is_empty() { " ".to_owned() } else { unit }
    }

    fn cell_indent(&self) -> String {
        self.cells.first().map_or_else(|| self.unit().repeat(2), |cell| self.indent_at(cell.span.start))
    }

    fn indent_at(&self, at: usize) -> String {
        let head = self.text.get(..at).unwrap_or_default();
        let line = head.rsplit('\n').next().unwrap_or_default();
        line.chars().take_while(|c| matches!(c, ' ' | '\t')).collect()
    }
}

impl Cell<'_> {
    /// Returns the source as one text.
    pub(super) fn text(&self) -> String {
        match serde_json::from_str(self.raw) {
            Ok(Source::Lines(lines)) => lines.concat(),
            Ok(Source::Whole(text)) => text,
            Err(_) => String::new(),
        }
    }

    /// Returns a new source in the form that the old one has.
    pub(super) fn source_of(&self, text: &str) -> Value {
        if self.raw.starts_with('"') { text.into() } else { lines(text) }
    }
}

/// Returns a source in lines.
pub(super) fn lines(text: &str) -> Value {
    text.split_inclusive('\n').map(Value::from).collect()
}

/// Returns where a value stands in the text that it was parsed from.
fn span(text: &str, raw: &RawValue) -> Range<usize> {
    let start = raw.get().as_ptr().addr() - text.as_ptr().addr();
    start..start + raw.get().len()
}
