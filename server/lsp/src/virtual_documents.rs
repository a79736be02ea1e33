//! Virtual documents: the text that a file's hunks are a change of, and what the file would be.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use kkcode_agent::view::{PlacedFile, placed_file};
use kkcode_core::edits::overlay_text;
use kkcode_core::effect::Refusal;
use kkcode_core::id::{HunkId, ProposalId};
use kkcode_core::lines::{Lines, split};
use kkcode_core::placement::Place;
use kkcode_core::placement::Texts;
use kkcode_core::proposal::FileChange;
use kkcode_core::state::Snapshot;
use kkcode_core::text::BOM;
use kkcode_core::uri::{PathStyle, from_path, to_path};
use kkcode_protocol::proposal::{ProposalContentParams, ProposalContentResult};
use ropey::Rope;
use tower_lsp::jsonrpc::Result;

use crate::error;
use crate::session::Session;

/// The method of LSP 3.18 that asks for such a text.
pub(crate) const CONTENT: &str = "workspace/textDocumentContent";

/// Which of a file's two texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// What the hunks are a change of.
    Base,
    /// What the file would be: its text of now, with all that is pending.
    Proposed,
}

impl Side {
    const ALL: [Self; 2] = [Self::Base, Self::Proposed];

    /// Returns the scheme of the documents of this side.
    fn scheme(self) -> &'static str {
        match self {
            Self::Base => "kkcode-base",
            Self::Proposed => "kkcode-proposed",
        }
    }
}

/// Returns the schemes that the server has texts for.
pub(crate) fn schemes() -> [&'static str; 2] {
    Side::ALL.map(Side::scheme)
}

/// One side of one file of a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VirtualDocument {
    /// Which side.
    pub(crate) side: Side,
    /// The proposal.
    pub(crate) proposal: ProposalId,
    /// The file, absolute.
    pub(crate) path: PathBuf,
}

impl VirtualDocument {
    /// Reads `<scheme>:/<proposalId>/<path>`, the path absolute and percent-encoded, however the client spells it.
    pub(crate) fn parse(uri: &str) -> Option<Self> {
        let (scheme, rest) = uri.split_once(':')?;
        let side = Side::ALL.into_iter().find(|side| scheme.eq_ignore_ascii_case(side.scheme()))?;
        let rest = rest.trim_start_matches('/');
        let (proposal, path) = rest.split_at(rest.find('/')?);
        let as_written = || to_path(&format!("file:{path}"), PathStyle::NATIVE);
        let from_root = || to_path(&format!("file:///{}", path.trim_start_matches('/')), PathStyle::NATIVE);
        let path = as_written().or_else(from_root)?;
        Some(Self { side, proposal: ProposalId::new(proposal), path })
    }

    /// Returns the document's URI.
    pub(crate) fn uri(&self) -> String {
        let uri = from_path(&self.path, PathStyle::NATIVE);
        let path = uri.strip_prefix("file://").unwrap_or(&uri);
        format!("{}:/{}{path}", self.side.scheme(), self.proposal)
    }

    /// Returns the document's text.
    ///
    /// May read the disk and diff: not for a thread that others wait for.
    pub(crate) fn text(&self, snapshot: &Snapshot) -> Result<String> {
        let unknown = |what, id: String| error::refusal(&Refusal::Unknown { what, id });
        let review = snapshot.reviews.get(&self.proposal);
        let review = review.ok_or_else(|| unknown("proposal", self.proposal.to_string()))?;
        let file = review.proposal.file(&self.path);
        let file = file.ok_or_else(|| unknown("file", self.path.display().to_string()))?;
        let text = match self.side {
            Side::Base => {
                let base = snapshot.reviews.texts().get(&file.base);
                let base = base.ok_or_else(|| unknown("text", file.base.as_str().to_owned()))?;
                base.text().to_string()
            }
            Side::Proposed => {
                let placed = placed_file(snapshot, review, file);
                let placed = placed.ok_or_else(|| {
                    let path = self.path.display();
                    error::failed(format!(
                        "`{path}` cannot be read, so nothing can be shown of what it would be"
                    ))
                })?;
                overlay_text(&Lines::of_rope(&placed.text), file, &placed.placement, snapshot.reviews.texts())
            }
        };
        Ok(text.strip_prefix(BOM).map(str::to_owned).unwrap_or(text))
    }
}

/// What a file would be, and where its hunks are in that.
pub(crate) struct Proposed {
    /// The text.
    pub(crate) text: Rope,
    /// The lines of each hunk: its new ones where it is pending, the user's where it is stale.
    pub(crate) lines: BTreeMap<HunkId, Range<usize>>,
}

/// Returns what a file would be with all that is pending.
pub(crate) fn proposed(file: &FileChange, placed: &PlacedFile, texts: &Texts) -> Proposed {
    let text = overlay_text(&Lines::of_rope(&placed.text), file, &placed.placement, texts);
    let mut lines = BTreeMap::new();
    // All hunks before have been taken: what stands behind them has moved by what they bring and take away.
    let (mut brought, mut taken) = (0, 0);
    let pending = placed.placement.chosen(|place| place.holds.is_pending());
    let is_pending = |place: &Place| pending.iter().any(|other| other.hunk == place.hunk);
    for place in placed.placement.chosen(|_| true) {
        let start = place.lines.start + brought - taken;
        let mut length = place.lines.len();
        if is_pending(place)
            && let Some(hunk) = file.hunk(&place.hunk)
        {
            length = split(&hunk.new_text).count();
            brought += length;
            taken += place.lines.len();
        }
        lines.insert(place.hunk.clone(), start..start + length);
    }
    Proposed { text: Rope::from_str(&text), lines }
}

/// Answers `kkcode/proposal/content` and `workspace/textDocumentContent`.
pub(crate) async fn content(
    session: &Session,
    params: ProposalContentParams,
) -> Result<ProposalContentResult> {
    let uri = params.uri;
    let document = VirtualDocument::parse(&uri).ok_or_else(|| {
        let [base, proposed] = schemes();
        error::invalid_params(format!(
            "`{uri}` is no document of a proposal; those are `{base}:/<proposalId>/<path>` and `{proposed}:/…`"
        ))
    })?;
    let snapshot = session.snapshot().await?;
    let text = tokio::task::spawn_blocking(move || document.text(&snapshot));
    let text = text.await.map_err(|e| error::internal(&e))??;
    session.surface().note_served(uri, &text);
    Ok(ProposalContentResult { text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_however_it_is_spelled() {
        let document = VirtualDocument {
            side: Side::Proposed,
            proposal: ProposalId::new("prop_1"),
            path: PathBuf::from("/w/a b.rs"),
        };
        assert_eq!(document.uri(), "kkcode-proposed:/prop_1/w/a%20b.rs");
        for uri in [
            "kkcode-proposed:/prop_1/w/a%20b.rs",
            "kkcode-proposed:/prop_1//w/a b.rs",
            "kkcode-proposed:///prop_1/w/a%20b.rs",
            "kkcode-proposed:/prop_1/%2Fw%2Fa%20b.rs",
        ] {
            assert_eq!(VirtualDocument::parse(uri).as_ref(), Some(&document), "{uri}");
        }
    }

    #[test]
    fn what_is_no_document_of_ours_is_not_read() {
        for uri in ["file:///w/a", "kkcode-base:/prop_1", "kkcode-other:/prop_1/w/a", "kkcode-base", ""] {
            assert_eq!(VirtualDocument::parse(uri), None, "{uri}");
        }
    }
}
