use serde_json::{Value, json};

use crate::tool::tests::World;

const NOTEBOOK: &str = r##"{
 "cells": [
  {
   "cell_type": "markdown",
   "id": "a1",
   "metadata": {},
   "source": [
    "# Title"
   ]
  },
  {
   "cell_type": "code",
   "execution_count": 7,
   "id": "b2",
   "metadata": {"x":  1},
   "outputs": [{"name": "stdout"}],
   "source": [
    "a = 1\n",
    "b = \"é\""
   ]
  }
 ],
 "metadata": {"float": 1.0000},
 "nbformat": 4,
 "nbformat_minor": 5
}
"##;

fn edited(notebook: &str, input: &Value) -> Result<String, String> {
    let mut world = World::new(&[("n.ipynb", notebook)]);
    world.call("read", json!({"path": "n.ipynb"})).unwrap();
    let mut whole = json!({"path": "n.ipynb", "new_source": "x = 2\ny\n"});
    whole.as_object_mut().unwrap().extend(input.as_object().unwrap().clone());
    world.call("notebookedit", whole)?;
    let text = world.seen("n.ipynb").unwrap();
    serde_json::from_str::<Value>(&text).unwrap();
    Ok(text)
}

#[test]
fn a_replaced_cell_leaves_every_other_byte_alone() {
    assert_eq!(
        edited(NOTEBOOK, &json!({"cell_number": 1})).unwrap(),
        NOTEBOOK.replace("\"a = 1\\n\",\n    \"b = \\\"é\\\"\"\n", "\"x = 2\\n\",\n    \"y\\n\"\n")
    );
    let compact = r#"{"cells":[{"cell_type":"code","source":"a"}],"nbformat":4}"#;
    assert_eq!(edited(compact, &json!({})).unwrap(), compact.replace("\"a\"", "\"x = 2\\ny\\n\""));
}

#[test]
fn cells_come_and_go() {
    let inserted = edited(NOTEBOOK, &json!({"cell_type": "markdown", "edit_mode": "insert"})).unwrap();
    let value: Value = serde_json::from_str(&inserted).unwrap();
    assert_eq!(value["cells"][1]["source"], json!(["x = 2\n", "y\n"]));
    assert!(value["cells"][1]["id"].as_str().is_some());
    assert_eq!(value["cells"].as_array().unwrap().len(), 3);
    let kept = inserted.lines().filter(|line| NOTEBOOK.lines().any(|old| old == *line)).count();
    assert!(kept >= NOTEBOOK.lines().count(), "{inserted}");

    let first = json!({"cell_type": "code", "edit_mode": "insert", "cell_number": -1});
    let value: Value = serde_json::from_str(&edited(NOTEBOOK, &first).unwrap()).unwrap();
    assert_eq!(value["cells"][0]["outputs"], json!([]));

    for (number, left) in [(0, "b2"), (1, "a1")] {
        let delete = json!({"edit_mode": "delete", "cell_number": number});
        let value: Value = serde_json::from_str(&edited(NOTEBOOK, &delete).unwrap()).unwrap();
        assert_eq!(value["cells"].as_array().unwrap().len(), 1);
        assert_eq!(value["cells"][0]["id"], left);
    }
}

#[test]
fn a_cell_of_another_type_has_what_that_type_has() {
    let text = edited(NOTEBOOK, &json!({"cell_type": "code"})).unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["cells"][0]["cell_type"], "code");
    assert_eq!(value["cells"][0]["outputs"], json!([]));
    assert_eq!(value["cells"][0]["id"], "a1");
}

#[test]
fn what_is_not_there_is_said_plainly() {
    let refused = |input: Value| edited(NOTEBOOK, &input).unwrap_err();
    assert!(refused(json!({"cell_number": 2})).contains("has 2 cells"));
    assert!(refused(json!({"edit_mode": "insert"})).contains("needs `cell_type`"));
    assert!(edited("{}", &json!({})).unwrap_err().contains("is no Jupyter notebook"));
    let mut world = World::new(&[("n.ipynb", NOTEBOOK)]);
    let edit = json!({"path": "n.ipynb", "new_source": "x"});
    assert!(world.call("notebookedit", edit.clone()).unwrap_err().contains("was not read"));
    let read = world.call("read", json!({"path": "n.ipynb"})).unwrap();
    assert!(read.contains("[cell 1: code]\n     4→a = 1") || read.contains("→[cell 1: code]"), "{read}");
    world.write("n.ipynb", &NOTEBOOK.replace("Title", "title"));
    assert!(world.call("notebookedit", edit).unwrap_err().contains("not as you last saw it"));
}
