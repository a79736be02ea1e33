//! The tiny acceptor: reads only command lines whose meaning no shell can see otherwise, and refuses all others.
//!
//! Words of literal characters, single quotes, double quotes without expansions; `&&`, `||`, `;`, `|`, line feeds; a handful
//! of redirections that write nothing. What is refused here is not forbidden: it is not allowed unasked.

/// A word after quotes are removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    /// It holds an unquoted `*` or `?`, and begins with `./` or stands behind `--`: the shell puts paths in its place that
    /// cannot be options.
    pub(super) glob: bool,
    pub(super) quoted: bool,
}

/// How a command follows the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Join {
    /// It is the first, or runs whatever happened before: `;` or a line feed.
    Then,
    And,
    Or,
    Pipe,
}

/// A simple command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Simple {
    pub(super) join: Join,
    pub(super) assignments: Vec<(String, String)>,
    pub(super) words: Vec<Word>,
    /// Files that are opened for reading.
    pub(super) inputs: Vec<String>,
}

/// Why a line is not read.
pub(super) type Refused = &'static str;

/// How many commands a line may hold.
const MOST_COMMANDS: usize = 64;

/// Reads a line, or says why its meaning is not plain.
pub(super) fn accept(line: &str) -> Result<Vec<Simple>, Refused> {
    let mut reader = Reader { rest: line, commands: Vec::new(), bodies: Vec::new() };
    reader.line()?;
    Ok(reader.commands)
}

struct Reader<'a> {
    rest: &'a str,
    commands: Vec<Simple>,
    /// Delimiters of here-documents whose bodies begin with the next line.
    bodies: Vec<String>,
}

impl Reader<'_> {
    fn line(&mut self) -> Result<(), Refused> {
        let mut join = Join::Then;
        loop {
            self.skip_blanks();
            if self.rest.is_empty() || join == Join::Then && self.rest.starts_with('\n') {
                if join != Join::Then {
                    return Err("a command is missing behind the last operator");
                }
                if self.rest.is_empty() {
                    break;
                }
                self.end_of_line()?;
                continue;
            }
            let command = self.command(join)?;
            self.commands.push(command);
            if self.commands.len() > MOST_COMMANDS {
                return Err("it holds more commands than anybody reads");
            }
            join = match self.operator()? {
                Some(join) => join,
                None => break,
            };
        }
        match (self.commands.is_empty(), self.bodies.is_empty()) {
            (true, _) => Err("there is no command in it"),
            (_, false) => Err("a here-document has no end"),
            _ => Ok(()),
        }
    }

    /// Reads what stands between two commands; none at the end.
    fn operator(&mut self) -> Result<Option<Join>, Refused> {
        for (operator, join) in [("&&", Join::And), ("||", Join::Or), (";", Join::Then), ("|", Join::Pipe)] {
            if self.take(operator) {
                if self.rest.starts_with(['&', '|', ';']) {
                    return Err("operators stand together that do not belong together");
                }
                return Ok(Some(join));
            }
        }
        match self.rest.chars().next() {
            None => Ok(None),
            Some('\n') => self.end_of_line().map(|()| Some(Join::Then)),
            Some('&') => Err("it starts something in the background"),
            Some(_) => Err("it groups commands or substitutes something"),
        }
    }

    fn end_of_line(&mut self) -> Result<(), Refused> {
        self.take("\n");
        for delimiter in std::mem::take(&mut self.bodies) {
            loop {
                let (line, rest) = match self.rest.split_once('\n') {
                    Some((line, rest)) => (line, rest),
                    None => (self.rest, ""),
                };
                if self.rest.is_empty() {
                    return Err("a here-document has no end");
                }
                self.rest = rest;
                if line == delimiter {
                    break;
                }
            }
        }
        Ok(())
    }

    fn command(&mut self, join: Join) -> Result<Simple, Refused> {
        let mut command = Simple { join, assignments: Vec::new(), words: Vec::new(), inputs: Vec::new() };
        loop {
            self.skip_blanks();
            if self.rest.is_empty() || self.rest.starts_with(['\n', ';', '|']) {
                break;
            }
            if self.redirection(&mut command)? {
                continue;
            }
            if self.rest.starts_with('&') {
                break;
            }
            let start = self.rest;
            let word = self.word(&command)?;
            let spelled = start.get(..start.len() - self.rest.len()).unwrap_or_default();
            if command.words.is_empty()
                && let Some((name, value)) = assignment(spelled)
            {
                command.assignments.push((name.to_owned(), value.to_owned()));
                continue;
            }
            if command.words.is_empty() && appends(spelled) {
                return Err("it appends to a variable");
            }
            if command.words.is_empty() && is_reserved(&word.text) {
                return Err("it is more than a simple command");
            }
            if command.words.is_empty() && word.text.starts_with('%') {
                return Err("it names a job of the shell");
            }
            command.words.push(word);
        }
        if command.words.is_empty() {
            return Err("a command is missing, or it only sets variables or redirects");
        }
        Ok(command)
    }

    /// Reads a redirection that writes nothing, if one comes next.
    fn redirection(&mut self, command: &mut Simple) -> Result<bool, Refused> {
        for harmless in [
            "2>/dev/null",
            "1>/dev/null",
            ">/dev/null",
            "&>/dev/null",
            "2> /dev/null",
            "> /dev/null",
            "2>&1",
            "</dev/null",
        ] {
            if let Some(rest) = self.rest.strip_prefix(harmless)
                && (rest.is_empty() || rest.starts_with([' ', '\t', '\n', ';', '|', '&', ')']))
            {
                self.rest = rest;
                return Ok(true);
            }
        }
        if let Some(rest) = self.rest.strip_prefix("<<") {
            if !command.inputs.is_empty() || self.bodies.len() > 4 {
                return Err("it redirects its input twice");
            }
            let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'));
            let quote = quote.ok_or("a here-document whose delimiter is not quoted is expanded")?;
            let (delimiter, rest) =
                rest.get(1..).and_then(|rest| rest.split_once(quote)).ok_or("a quote has no end")?;
            let is_plain = delimiter.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if delimiter.is_empty()
                || !is_plain
                || !(rest.is_empty() || rest.starts_with([' ', '\n', '\t', ';', '|']))
            {
                return Err("the delimiter of a here-document is not plain");
            }
            self.bodies.push(delimiter.to_owned());
            self.rest = rest;
            return Ok(true);
        }
        if let Some(rest) = self.rest.strip_prefix('<') {
            if rest.starts_with(['(', '>', '&']) {
                return Err("it substitutes a process or opens a file for writing");
            }
            self.rest = rest;
            self.skip_blanks();
            let word = self.word(command)?;
            if word.glob {
                return Err("it reads from a file whose name is a pattern");
            }
            command.inputs.push(word.text);
            return Ok(true);
        }
        if self.rest.starts_with('>') || self.rest.starts_with("&>") {
            return Err("it writes into a file");
        }
        let digits = self.rest.trim_start_matches(|c: char| c.is_ascii_digit());
        if digits.len() < self.rest.len() && digits.starts_with(['<', '>']) {
            return Err("it redirects to or from a numbered descriptor");
        }
        Ok(false)
    }

    fn word(&mut self, command: &Simple) -> Result<Word, Refused> {
        let mut word = Word { text: String::new(), glob: false, quoted: false };
        let after_dashes = command.words.iter().any(|word| word.text == "--" && !word.quoted);
        while let Some(c) = self.rest.chars().next() {
            match c {
                ' ' | '\t' | '\n' | ';' | '|' | '&' | '<' | '>' => break,
                '\'' => {
                    self.take("'");
                    let (text, rest) = self.rest.split_once('\'').ok_or("a quote has no end")?;
                    word.text += text;
                    word.quoted = true;
                    self.rest = rest;
                    continue;
                }
                '"' => {
                    self.take("\"");
                    self.double_quoted(&mut word.text)?;
                    word.quoted = true;
                    continue;
                }
                '*' | '?' if after_dashes || word.text.starts_with("./") && !word.quoted => word.glob = true,
                '*' | '?' => return Err("a pattern may turn into an option; begin it with ./"),
                '~' | '^'
                    if word.text.ends_with(|before: char| before.is_ascii_alphanumeric())
                        && !word.text.contains([':', '=']) => {}
                '~' => return Err("a tilde leads to a home folder"),
                '!' if word.text.is_empty() && !command.words.is_empty() && self.is_alone(1) => {}
                '[' | ']' if word.text.is_empty() && self.is_alone(1) => {}
                '{' if word.text.is_empty() && self.rest.starts_with("{}") && self.is_alone(2) => {
                    word.text.push('{');
                    self.take("{");
                    word.text.push('}');
                    self.take("}");
                    continue;
                }
                '\\' => return Err("a backslash outside quotes"),
                '$' | '`' => return Err("it substitutes something"),
                c if c.is_ascii_alphanumeric() || "_-./:=,+@%".contains(c) => {}
                c if c.is_ascii() => {
                    return Err("a character outside quotes that means something to the shell");
                }
                _ => return Err("letters beyond ASCII outside quotes may look like others"),
            }
            if c.is_ascii() && word.text.len() > 4096 {
                return Err("a word is too long");
            }
            word.text.push(c);
            self.rest = self.rest.get(c.len_utf8()..).unwrap_or_default();
        }
        if word.text.is_empty() && !word.quoted {
            return Err("an operator stands where a word is due");
        }
        Ok(word)
    }

    fn double_quoted(&mut self, text: &mut String) -> Result<(), Refused> {
        loop {
            let c = self.rest.chars().next().ok_or("a quote has no end")?;
            self.rest = self.rest.get(c.len_utf8()..).unwrap_or_default();
            match c {
                '"' => return Ok(()),
                '$' | '`' => return Err("it substitutes something inside quotes"),
                '\\' => match self.rest.chars().next() {
                    Some(escaped @ ('"' | '\\')) => {
                        text.push(escaped);
                        self.rest = self.rest.get(1..).unwrap_or_default();
                    }
                    Some('$' | '`' | '\n') | None => return Err("a backslash that the shell takes away"),
                    // The shell keeps it.
                    Some(_) => text.push('\\'),
                },
                c => text.push(c),
            }
        }
    }

    /// Tells whether a word ends behind the next characters.
    fn is_alone(&self, length: usize) -> bool {
        self.rest
            .get(length..)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\n', ';']))
    }

    fn take(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }
}

/// Returns name and value if a word, as it is spelled, sets a variable to something plain.
fn assignment(spelled: &str) -> Option<(&str, &str)> {
    let (name, value) = spelled.split_once('=')?;
    let mut chars = name.chars();
    let begins = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    (begins && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')).then_some((name, value))
}

/// Tells whether a word, as it is spelled, appends to a variable.
fn appends(spelled: &str) -> bool {
    spelled.split_once("+=").is_some_and(|(name, _)| assignment(&format!("{name}=")).is_some())
}

fn is_reserved(word: &str) -> bool {
    matches!(
        word,
        "!" | "{"
            | "}"
            | "{}"
            | "]"
            | "[["
            | "]]"
            | "case"
            | "coproc"
            | "do"
            | "done"
            | "elif"
            | "else"
            | "esac"
            | "fi"
            | "for"
            | "function"
            | "if"
            | "in"
            | "select"
            | "then"
            | "time"
            | "until"
            | "while"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<Vec<String>> {
        let commands = accept(line).unwrap_or_else(|refused| panic!("{line}: {refused}"));
        commands
            .into_iter()
            .map(|command| command.words.into_iter().map(|word| word.text).collect())
            .collect()
    }

    #[test]
    fn plain_lines_are_read() {
        assert_eq!(words("ls -la src"), [["ls", "-la", "src"]]);
        assert_eq!(words("a 'b c'\"d\\\"\"e  \t f"), [["a", "b cd\"e", "f"]]);
        assert_eq!(words("a&&b||c;d|e\nf"), [["a"], ["b"], ["c"], ["d"], ["e"], ["f"]]);
        assert_eq!(words("a 2>/dev/null >/dev/null 2>&1 < x ;"), [["a"]]);
        assert_eq!(words("cat <<'EOF'\nplain $(x)\nEOF\nls"), [["cat"], ["ls"]]);
        assert_eq!(words("rg '\\$\\(' \"a\\.b\\\\\""), [["rg", "\\$\\(", "a\\.b\\"]]);
        assert_eq!(words("find . ! -name x"), [["find", ".", "!", "-name", "x"]]);
        assert_eq!(words("git diff HEAD~1 HEAD^"), [["git", "diff", "HEAD~1", "HEAD^"]]);
        assert_eq!(words("[ -f a ]"), [["[", "-f", "a", "]"]]);
        assert!(accept("wc ./*.rs").unwrap()[0].words[1].glob);
        assert_eq!(accept("LC_ALL=C sort").unwrap()[0].assignments, [("LC_ALL".to_owned(), "C".to_owned())]);
    }

    #[test]
    fn everything_else_is_refused() {
        for line in [
            "",
            "  ",
            "#x",
            "ls &&",
            "ls ;; x",
            "ls | | wc",
            "ls &",
            "ls & x",
            "(ls)",
            "{ ls; }",
            "! ls",
            "time ls",
            "ls 'x",
            "ls \\",
            "ls \\\n",
            "a$b",
            "a`b`",
            "\"$a\"",
            "\"\\$a\"",
            "a *",
            "*",
            "a ~",
            "~",
            "a=~/x ls",
            "a b:~",
            "!!",
            "x !!",
            "a{b,c}",
            "a [b]",
            "a > b",
            "a >> b",
            "a >| b",
            "a <> b",
            "a >& b",
            "a &> b",
            "a 3< b",
            "a <(b)",
            "a <<< b",
            "a <<EOF\nEOF",
            "cat <<'EOF'\nx",
            "a 2>/dev/nullx",
            "a -la \u{ff0d}x",
            "echo ‘x’",
            "if ls; then",
            "x=1",
            "<a",
            "|a",
            ";a",
            "&a",
            "a |& b",
            "a #b",
            "a $'b'",
            "[[ a ]]",
            "ls\n&& x",
            "a <<-'E'\nE",
            "> x",
            "%1",
            "'%'1 x",
            "a+=b",
            "a+=b ls",
        ] {
            assert!(accept(line).is_err(), "{line:?} is read as {:?}", accept(line));
        }
    }
}
