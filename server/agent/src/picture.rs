//! Pictures for a model: which files are some, and their bytes as a request has them.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kkcode_provider::request::Content;

/// The largest picture that is sent, in bytes: 5 MB in base64, which is what the strictest provider takes.
pub(crate) const MOST_BYTES: u64 = 3_750_000;

/// The endings of the names of pictures, in small letters.
const ENDINGS: [&str; 5] = ["png", "jpg", "jpeg", "gif", "webp"];

/// A picture as a request has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Picture {
    media_type: &'static str,
    /// In base64.
    data: String,
}

impl Picture {
    /// Reads a picture. What it is is told by its first bytes, whatever it is called; says for its reader what is wrong.
    pub(crate) fn read(file: fs::File) -> Result<Self, String> {
        let mut bytes = Vec::new();
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(format!("it has more than {MOST_BYTES} bytes, which is the most that is sent"));
        }
        let media_type = media_type(&bytes).ok_or("it is neither PNG, JPEG, GIF nor WebP")?;
        Ok(Self { media_type, data: STANDARD.encode(bytes) })
    }

    /// Returns it as a part of a message.
    pub(crate) fn content(self) -> Content {
        Content::Image { media_type: self.media_type.to_owned(), data: self.data }
    }

    /// Says what it is, in a word.
    pub(crate) fn kind(&self) -> &'static str {
        self.media_type
    }
}

/// Tells whether a file is called like a picture.
pub(crate) fn is_named_so(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

fn media_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_told_by_its_bytes() {
        for (bytes, expected) in [
            (&b"\x89PNG\r\n\x1a\nrest"[..], Some("image/png")),
            (b"\xff\xd8\xff\xe0", Some("image/jpeg")),
            (b"GIF89a", Some("image/gif")),
            (b"RIFF\x01\x02\x03\x04WEBPVP8 ", Some("image/webp")),
            (b"RIFF\x01\x02\x03\x04WAVE", None),
            (b"<svg/>", None),
            (b"", None),
        ] {
            assert_eq!(media_type(bytes), expected);
        }
        assert!(is_named_so(Path::new("a/b.PNG")) && !is_named_so(Path::new("png")));
    }

    #[test]
    fn what_is_too_large_or_none_is_refused_with_the_reason() {
        let dir = tempfile::tempdir().unwrap();
        let read = |bytes: &[u8]| {
            let path = dir.path().join("x.png");
            fs::write(&path, bytes).unwrap();
            Picture::read(fs::File::open(path).unwrap())
        };
        assert_eq!(read(b"GIF87a").unwrap().content(), {
            let (media_type, data) = ("image/gif".to_owned(), "R0lGODdh".to_owned());
            Content::Image { media_type, data }
        });
        assert!(read(b"text").unwrap_err().contains("neither PNG"));
        let large = vec![0; usize::try_from(MOST_BYTES).unwrap() + 1];
        assert!(read(&large).unwrap_err().contains("3750000 bytes"));
    }
}
