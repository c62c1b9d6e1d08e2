//! What an application makes of its command line and its configuration.

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use podwire_fragment::{
    Application, Context, Error, Fragment, Input, Operator, OperatorSpec, Output, Result, graph::Problem,
};

/// Says what it was configured to say.
struct Speaker {
    text: String,
    times: u64,
    said: Arc<Mutex<Vec<String>>>,
}

impl Operator for Speaker {
    fn setup(&mut self, spec: &mut OperatorSpec) -> Result {
        self.text = spec.parameter("text", "what to say", "nothing".to_owned());
        self.times = spec.parameter("times", "how often", 1);
        spec.count(self.times);
        Ok(())
    }

    fn compute(&mut self, _: &mut Input, _: &mut Output, _: &mut Context) -> Result {
        self.said.lock().unwrap().push(self.text.clone());
        Ok(())
    }
}

/// A file that goes when the test is over.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("podwire-{}-{name}", std::process::id()));
        fs::write(&path, text).unwrap();
        Self(path)
    }

    fn option(&self) -> String {
        format!("--config={}", self.0.display())
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

type Said = Arc<Mutex<Vec<String>>>;

fn speaker(said: &Said) -> Speaker {
    Speaker { text: String::new(), times: 0, said: Arc::clone(said) }
}

/// An application of one operator, or of one in each of these fragments, and what they say.
fn speakers(arguments: &[&str], fragments: &[&str]) -> (Application, Said) {
    let said = Said::default();
    let mut app = Application::new(["speakers"].iter().chain(arguments));
    if fragments.is_empty() {
        app.add_operator("speaker", speaker(&said));
    }
    for name in fragments {
        let mut fragment = Fragment::new(*name);
        fragment.add_operator("speaker", speaker(&said));
        app.add_fragment(fragment);
    }
    (app, said)
}

/// What is said if the file has this text.
fn said(name: &str, text: &str, fragments: &[&str]) -> Vec<String> {
    let file = File::new(name, text);
    let (app, said) = speakers(&[&file.option()], fragments);
    app.run().unwrap();
    let mut said = said.lock().unwrap().clone();
    said.sort();
    said
}

#[test]
fn operators_get_their_parameters_from_the_file_or_the_defaults_of_their_code() {
    let (app, nothing) = speakers(&[], &[]);
    app.run().unwrap();
    assert_eq!(*nothing.lock().unwrap(), ["nothing"]);

    assert_eq!(said("a.toml", "speaker.text = 'hello'\nspeaker.times = 2", &[]), ["hello", "hello"]);
    assert_eq!(said("b.toml", "[speaker]\ntext = 'hello'", &["only"]), ["hello"]);
    let text = "[left.speaker]\ntext = 'hello'\n[right.speaker]\ntimes = 2";
    assert_eq!(said("c.toml", text, &["left", "right"]), ["hello", "nothing", "nothing"]);
}

#[test]
fn all_mistakes_are_told_at_once_and_nothing_runs() {
    let file =
        File::new("d.toml", "[left.speaker]\ntimes = 'often'\n[rihgt]\n[right.speaker]\ntext = 5\nsize = 3");
    let arguments = ["--worker", "--fragments=left,rigth", &file.option(), "--address"];
    let (mut app, said) = speakers(&arguments, &["left", "right"]);
    app.add_flow("left", "middle", [("speaker.out", "speaker.in")]);
    app.flag("--loud", "");
    let Err(Error::Composition(problems)) = app.run() else { panic!("it ran") };
    let told: Vec<_> = problems.to_string().lines().map(str::to_owned).collect();
    let path = file.0.display();
    assert_eq!(told, [
        "the application cannot run".to_owned(),
        "  - --address needs a value: write --address HOST:PORT or --address=HOST:PORT".to_owned(),
        format!(
            "  - {path}:3: there is no fragment or operator \"rihgt\": did you mean \"right\"? there are \"left\" and \"right\""
        ),
        format!("  - {path}:6: right.speaker has no parameter \"size\"; there are \"text\" and \"times\""),
        "  - --fragments: there is no fragment \"rigth\": did you mean \"right\"? there are \"left\" and \"right\"".to_owned(),
        format!("  - {path}:2: left.speaker.times: invalid type: string \"often\", expected u64"),
        format!("  - {path}:5: right.speaker.text: invalid type: integer `5`, expected a string"),
        "  - flow left -> middle: no fragment is called \"middle\"; there are \"left\" and \"right\"".to_owned(),
        "  - flow left -> middle: left.speaker has no output \"out\"; there is none".to_owned(),
    ]);
    assert!(said.lock().unwrap().is_empty());
}

#[test]
fn a_slip_in_the_file_is_told_with_what_exists() {
    let file = File::new("e.toml", "[speaker]\ntext = 'x'\ntimse = 3\n");
    let (mut app, _) = speakers(&[&file.option()], &[]);
    let problems = app.check().unwrap_err();
    let [Problem::Configuration(error)] = problems.list() else { panic!("{problems}") };
    let told = error.to_string();
    let at = format!("{}:3: ", file.0.display());
    let told = told.strip_prefix(&at).unwrap();
    assert_eq!(
        told,
        "speaker has no parameter \"timse\": did you mean \"times\"? there are \"text\" and \"times\""
    );
}

#[test]
fn a_file_that_is_not_there_is_told() {
    let (mut app, _) = speakers(&["--config", "/no/such/file.toml"], &[]);
    let told = app.check().unwrap_err().to_string();
    assert!(told.contains("\n  - --config: /no/such/file.toml cannot be read: No such file"), "{told}");
}

#[test]
fn help_version_and_picture_run_nothing() {
    let picture = File::new("picture.mmd", "");
    let graph = format!("--graph=mermaid:{}", picture.0.display());
    for option in ["--help", "--version", &graph] {
        let (app, said) = speakers(&[option], &["left", "right"]);
        assert_eq!(app.is_asked_for_help(), option != graph);
        let report = app.run().unwrap();
        assert!(report.operators.is_empty() && said.lock().unwrap().is_empty(), "{option}");
    }
    let drawn = fs::read_to_string(&picture.0).unwrap();
    assert!(
        drawn.contains("subgraph f1[\"right\"]") && drawn.contains("f1o0[\"speaker<br/>1 times\"]"),
        "{drawn}"
    );
}

#[cfg(not(feature = "distributed"))]
#[test]
fn a_driver_or_worker_is_an_error_where_it_was_not_built() {
    for option in ["--driver", "--worker"] {
        let (app, _) = speakers(&[option], &[]);
        assert!(matches!(app.run(), Err(Error::NotDistributed)));
    }
}
