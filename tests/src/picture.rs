//! A screen with its colours as a picture: escape sequences in, SVG out.

/// The size of one cell, in the picture's units.
const CELL: (f32, f32) = (8.4, 18.0);

/// The colours of text that names none, and of what is behind it: those of Neovim's default scheme.
const PLAIN: (Colour, Colour) = (Colour(0xe0, 0xe2, 0xea), Colour(0x14, 0x16, 0x1b));

/// The first sixteen colours, for programs that name them by number.
const NAMED: [u32; 16] = [
    0x0007_080d,
    0x00ff_c0b9,
    0x00b3_f6c0,
    0x00fc_e094,
    0x00a6_dbff,
    0x00ff_caff,
    0x008c_f8f7,
    0x00ee_f1f8,
    0x004f_5258,
    0x00ff_c0b9,
    0x00b3_f6c0,
    0x00fc_e094,
    0x00a6_dbff,
    0x00ff_caff,
    0x008c_f8f7,
    0x00ff_ffff,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Colour(u8, u8, u8);

impl Colour {
    fn of_number(number: u32) -> Self {
        let [_, red, green, blue] = number.to_be_bytes();
        Self(red, green, blue)
    }

    /// Reads one of the 256 colours: sixteen with names, a cube of six by six by six, and greys.
    fn of_index(index: u8) -> Self {
        let level = |step: u8| if step == 0 { 0 } else { 55 + step * 40 };
        match index {
            0..=15 => Self::of_number(NAMED.get(usize::from(index)).copied().unwrap_or_default()),
            16..=231 => {
                let cube = index - 16;
                Self(level(cube / 36), level(cube / 6 % 6), level(cube % 6))
            }
            232..=255 => {
                let grey = 8 + (index - 232) * 10;
                Self(grey, grey, grey)
            }
        }
    }

    fn hexadecimal(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

/// How text looks.
#[expect(clippy::struct_excessive_bools, reason = "a terminal has so many attributes, each on or off")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Look {
    text: Option<Colour>,
    behind: Option<Colour>,
    is_bold: bool,
    is_italic: bool,
    is_underlined: bool,
    is_reversed: bool,
}

impl Look {
    /// Follows one escape sequence that sets colours and attributes (ECMA-48, "SGR").
    fn follow(&mut self, sequence: &str) {
        let mut numbers = sequence.split([';', ':']).map(|part| part.parse::<u8>().unwrap_or(0));
        while let Some(number) = numbers.next() {
            match number {
                0 => *self = Self::default(),
                1 => self.is_bold = true,
                3 => self.is_italic = true,
                4 => self.is_underlined = true,
                7 => self.is_reversed = true,
                22 => self.is_bold = false,
                23 => self.is_italic = false,
                24 => self.is_underlined = false,
                27 => self.is_reversed = false,
                30..=37 => self.text = Some(Colour::of_index(number - 30)),
                38 => self.text = extended(&mut numbers),
                39 => self.text = None,
                40..=47 => self.behind = Some(Colour::of_index(number - 40)),
                48 => self.behind = extended(&mut numbers),
                49 => self.behind = None,
                90..=97 => self.text = Some(Colour::of_index(number - 82)),
                100..=107 => self.behind = Some(Colour::of_index(number - 92)),
                _ => {}
            }
        }
    }

    fn colours(self) -> (Colour, Colour) {
        let (text, behind) = (self.text.unwrap_or(PLAIN.0), self.behind.unwrap_or(PLAIN.1));
        if self.is_reversed { (behind, text) } else { (text, behind) }
    }
}

/// Reads the colour behind a 38 or 48: `2;red;green;blue` or `5;index`.
fn extended(numbers: &mut impl Iterator<Item = u8>) -> Option<Colour> {
    match numbers.next()? {
        2 => Some(Colour(numbers.next()?, numbers.next()?, numbers.next()?)),
        5 => numbers.next().map(Colour::of_index),
        _ => None,
    }
}

/// Draws a screen as SVG.
///
/// `screen` is text with SGR escape sequences, one line for each row; `columns` is how wide it is; `title` is for those who
/// cannot see it.
#[must_use]
pub fn svg(screen: &str, columns: u16, title: &str) -> String {
    let rows: Vec<_> = screen.lines().collect();
    let (width, height) = (f32::from(columns) * CELL.0, small(rows.len()) * CELL.1);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" \
         font-family=\"ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" font-size=\"14\">\n\
         <title>{}</title>\n<rect width=\"100%\" height=\"100%\" fill=\"{}\"/>\n",
        escape(title),
        PLAIN.1.hexadecimal()
    );
    let mut look = Look::default();
    for (row, line) in rows.iter().enumerate() {
        let mut column = 0;
        for (run_look, text) in runs(line, &mut look) {
            out.push_str(&drawn((row, column), run_look, &text));
            column += text.chars().count();
        }
    }
    out.push_str("</svg>\n");
    out
}

/// Cuts a line into pieces of one look each.
fn runs(line: &str, look: &mut Look) -> Vec<(Look, String)> {
    let mut found: Vec<(Look, String)> = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        if let Some((sequence, behind)) = rest.strip_prefix("\u{1b}[").and_then(|rest| rest.split_once('m')) {
            look.follow(sequence);
            rest = behind;
            continue;
        }
        let end = rest.char_indices().skip(1).find(|(_, c)| *c == '\u{1b}').map_or(rest.len(), |(at, _)| at);
        let (text, behind) = rest.split_at(end);
        found.push((*look, text.to_owned()));
        rest = behind;
    }
    found
}

/// Draws a piece of a row: what is behind it, and its text.
fn drawn((row, column): (usize, usize), look: Look, text: &str) -> String {
    let (colour, behind) = look.colours();
    let (x, y) = (small(column) * CELL.0, small(row) * CELL.1);
    let width = small(text.chars().count()) * CELL.0;
    let rectangle = if behind == PLAIN.1 {
        String::new()
    } else {
        let (height, fill) = (CELL.1, behind.hexadecimal());
        format!(
            "<rect x=\"{x:.1}\" y=\"{y:.0}\" width=\"{width:.1}\" height=\"{height:.0}\" fill=\"{fill}\"/>\n"
        )
    };
    if text.trim().is_empty() {
        return rectangle;
    }
    let mut attributes = String::new();
    for (is_so, attribute) in [
        (look.is_bold, " font-weight=\"bold\""),
        (look.is_italic, " font-style=\"italic\""),
        (look.is_underlined, " text-decoration=\"underline\""),
    ] {
        if is_so {
            attributes.push_str(attribute);
        }
    }
    let (baseline, fill, text) = (y + 13.5, colour.hexadecimal(), escape(text));
    let place = format!("x=\"{x:.1}\" y=\"{baseline:.1}\" textLength=\"{width:.1}\"");
    rectangle + &format!("<text {place} fill=\"{fill}\" xml:space=\"preserve\"{attributes}>{text}</text>\n")
}

/// A screen has few rows and columns.
fn small(count: usize) -> f32 {
    u16::try_from(count).map_or(f32::MAX, f32::from)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::svg;

    #[test]
    fn colours_and_attributes_are_drawn() {
        let picture =
            svg("plain \u{1b}[1;38;2;1;2;3mbold\u{1b}[0m\n\u{1b}[48;5;196m<&\u{1b}[49m", 20, "a & b");
        assert!(picture.contains("<title>a &amp; b</title>"), "{picture}");
        assert!(
            picture.contains("fill=\"#010203\" xml:space=\"preserve\" font-weight=\"bold\">bold<"),
            "{picture}"
        );
        assert!(picture.contains("fill=\"#ff0000\"/>"), "{picture}");
        assert!(picture.contains(">&lt;&amp;<"), "{picture}");
    }

    #[test]
    fn reversed_text_changes_its_colours() {
        let picture = svg("\u{1b}[7mx", 1, "x");
        assert!(
            picture.contains("<rect x=\"0.0\" y=\"0\" width=\"8.4\" height=\"18\" fill=\"#e0e2ea\"/>"),
            "{picture}"
        );
    }
}
