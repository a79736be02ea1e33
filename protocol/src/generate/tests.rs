//! The generated files are those in the repository, and name everything.

use super::*;

#[test]
fn the_generated_files_are_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for file in files().unwrap() {
        let committed = std::fs::read_to_string(root.join(file.path)).unwrap_or_default();
        assert!(
            committed == file.text,
            "{} is out of date; regenerate it with\n\n    {COMMAND}\n",
            file.path
        );
    }
}

#[test]
fn every_message_and_every_type_is_in_every_language() {
    let model = Model::of_all_messages().unwrap();
    for GeneratedFile { path, text } in files().unwrap() {
        for message in model.messages() {
            assert!(text.contains(&format!("{:?}", message.spec.name)), "{path}: {}", message.spec.name);
        }
        for declaration in &model.declarations {
            let as_typescript = text.contains(&format!("export interface {} {{", declaration.name))
                || text.contains(&format!("export type {} =", declaration.name));
            let as_lua = ["class", "alias"].iter().any(|keyword| {
                let annotation = format!("---@{keyword} kkcode.{}", declaration.name);
                text.lines().any(|line| line == annotation || line.starts_with(&format!("{annotation} ")))
            });
            assert!(as_typescript != as_lua, "{path}: {}", declaration.name);
        }
    }
}

#[test]
fn every_type_and_every_member_says_what_it_is() {
    for Declaration { name, doc, body } in Model::of_all_messages().unwrap().declarations {
        assert!(doc.ends_with('.'), "{name}: {doc:?}");
        assert!(!name.ends_with(|last: char| last.is_ascii_digit()), "two types are called {name:?}");
        let docs: Vec<_> = match &body {
            Body::Object(members) => members.iter().map(|member| &member.doc).collect(),
            Body::Strings(strings) => strings.iter().map(|(_, doc)| doc).collect(),
            Body::Kinds(shared, kinds) => {
                let own = kinds.iter().flat_map(|kind| kind.members.iter().map(|member| &member.doc));
                let kinds = kinds.iter().map(|kind| &kind.doc);
                shared.iter().map(|member| &member.doc).chain(kinds).chain(own).collect()
            }
            Body::Other(_) => Vec::new(),
        };
        assert!(docs.iter().all(|doc| doc.ends_with('.')), "{name}: {docs:?}");
    }
}
