//! The bodies of our requests against the types that the providers publish with their own libraries.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::peer::{skip, tools};

/// A wire format, what is imported for it, and the type of its requests. Compatible servers have no types of their own.
const FORMATS: [(&str, &str, &str); 4] = [
    ("anthropic", "import type Anthropic from '@anthropic-ai/sdk'", "Anthropic.MessageCreateParams"),
    ("openai_responses", "import type OpenAI from 'openai'", "OpenAI.Responses.ResponseCreateParams"),
    ("openai_chat", "import type OpenAI from 'openai'", "OpenAI.Chat.ChatCompletionCreateParams"),
    ("ollama", "import type { ChatRequest } from 'ollama'", "ChatRequest"),
];

/// What the provider's own tests keep of each: a conversation with all that there can be in one, and two ways of thinking.
const BODIES: [&str; 3] = ["request", "budget", "adaptive"];

/// Compiles one program for each body; returns what the compiler says, nothing if all is right.
fn compiled(bodies: &[(String, String)]) -> Option<String> {
    let sdks = tools().join("sdks");
    let folder = tempfile::Builder::new().prefix("bodies").tempdir_in(&sdks).unwrap();
    let mut compiler = Command::new(sdks.join("node_modules/.bin/tsc"));
    let options = [
        "--noEmit",
        "--strict",
        "--skipLibCheck",
        "--module",
        "nodenext",
        "--target",
        "esnext",
        "--types",
        "",
    ];
    compiler.args(options).current_dir(folder.path());
    for (name, program) in bodies {
        let file = format!("{name}.ts");
        fs::write(folder.path().join(&file), program).unwrap();
        compiler.arg(file);
    }
    let output = compiler.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (!output.status.success()).then(|| String::from_utf8_lossy(&said).into_owned())
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/provider/tests/data").join(name)
}

#[test]
fn requests_have_the_types_that_the_providers_publish() {
    let test = "providers::types::requests_have_the_types_that_the_providers_publish";
    if !tools().join("sdks/node_modules/.bin/tsc").exists() {
        skip(test, "the providers' libraries are not installed, see tests/install/sdks");
        return;
    }
    let mut programs = Vec::new();
    for (format, import, of) in FORMATS {
        for body in BODIES {
            let path = data(&format!("{format}/{body}.json"));
            let body_text =
                fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let name = format!("{format}_{body}");
            programs.push((name, format!("{import};\n({body_text}) satisfies {of};\n")));
        }
    }
    assert_eq!(compiled(&programs), None);

    // That a wrong body is found: a member that nobody knows, and one of the wrong type.
    for wrong in [
        "\"model\": \"m\", \"messages\": [], \"max_tokens\": \"many\"",
        "\"model\": \"m\", \"messages\": [], \"max_tokens\": 1, \"surprise\": 1",
    ] {
        let (_, import, of) = FORMATS[0];
        let program = format!("{import};\n({{{wrong}}}) satisfies {of};\n");
        assert!(compiled(&[("wrong".to_owned(), program)]).is_some(), "{wrong}");
    }
}
