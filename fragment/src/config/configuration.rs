//! Parameters of operators, from a TOML file.
//!
//! Not here: which parameters there are; each operator asks for its own in `setup`. Invariant: every key in the file was
//! asked for by somebody, and had the type that was wanted, or there is an error with its line.

use std::{ops::Range, path::Path, sync::Arc};

use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeTable, DeValue, ValueDeserializer},
};

use super::error::{ConfigurationError, Place};

/// What the file of `--config` says, or nothing.
///
/// ```toml
/// [fragment1.ping]   # the operator `ping` of the fragment `fragment1`
/// rows = 64
///
/// [fragment2.pong]
/// limits = { low = 0.0, high = 1.0 }   # anything that serde can read
/// ```
///
/// If the application has one fragment, its name may be left out: `[ping]`.
#[derive(Clone, Debug)]
pub struct Configuration {
    file: Arc<Path>,
    /// It is TOML; parsed again for every question, because the parser lends from it and such files are small.
    text: Arc<str>,
    /// The fragment of an application that has one.
    only: Option<String>,
}

/// An operator, and the parameters that it asked for.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// Its fragment; empty in an application without fragments.
    pub fragment: &'a str,
    /// Its name.
    pub operator: &'a str,
    /// The keys.
    pub parameters: Vec<&'a str>,
}

type Value<'t> = Spanned<DeValue<'t>>;

impl Default for Configuration {
    /// No file.
    fn default() -> Self {
        Self { file: Path::new("").into(), text: "".into(), only: None }
    }
}

impl Configuration {
    /// Reads a file.
    ///
    /// # Errors
    /// [`ConfigurationError::Unreadable`], or a [`ConfigurationError::Syntax`] for each place where it is no TOML.
    pub fn read(file: impl AsRef<Path>) -> Result<Self, Vec<ConfigurationError>> {
        let file = file.as_ref();
        match std::fs::read_to_string(file) {
            Ok(text) => Self::parse(file, &text),
            Err(source) => Err(vec![ConfigurationError::Unreadable { file: file.to_owned(), source }]),
        }
    }

    /// Takes a text as the contents of a file of this name.
    ///
    /// # Errors
    /// A [`ConfigurationError::Syntax`] for each place where it is no TOML.
    pub fn parse(file: impl AsRef<Path>, text: &str) -> Result<Self, Vec<ConfigurationError>> {
        let configuration = Self { file: file.as_ref().into(), text: text.into(), only: None };
        let (_, mut errors) = DeTable::parse_recoverable(text);
        if errors.is_empty() {
            return Ok(configuration);
        }
        errors.sort_by_key(|error| error.span().unwrap_or_default().start);
        let places =
            errors.iter().map(|error| (configuration.place(error.span().unwrap_or_default()), error));
        let mut errors: Vec<_> = places.collect();
        // What follows on the same line follows from the first.
        errors.dedup_by(|(at, _), (before, _)| at == before);
        let syntax = |(at, error): (_, &toml::de::Error)| ConfigurationError::Syntax {
            at,
            reason: one_line(error.message()),
        };
        Err(errors.into_iter().map(syntax).collect())
    }

    /// Says which fragments the application has. If there is one, its name may be left out in the file.
    pub fn set_fragments<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) {
        let mut names = names.into_iter();
        self.only = names.next().filter(|_| names.next().is_none()).map(str::to_owned);
    }

    /// A parameter of an operator; `None` if the file does not say.
    ///
    /// # Errors
    /// [`ConfigurationError::WrongType`], [`ConfigurationError::NoSuchField`] if it is a struct that has no such field,
    /// [`ConfigurationError::Twice`].
    pub fn parameter<T: DeserializeOwned>(
        &self,
        fragment: &str,
        operator: &str,
        key: &str,
    ) -> Result<Option<T>, ConfigurationError> {
        let root = self.root();
        let mut found =
            self.tables_of(&root, fragment, operator).filter_map(|table| table.get_key_value(key));
        let Some((_, value)) = found.next() else { return Ok(None) };
        let parameter = path(fragment, operator, key);
        if let Some((again, _)) = found.next() {
            let [first, second] = [value.span(), again.span()].map(|span| self.place(span));
            return Err(ConfigurationError::Twice { parameter, first, second });
        }
        let mut ignored = None;
        let read = serde_ignored::deserialize(ValueDeserializer::from(value.clone()), |field| {
            ignored.get_or_insert_with(|| (field_span(value, &field), field.to_string()));
        });
        let read = read.map_err(|error| ConfigurationError::WrongType {
            at: self.place(error.span().unwrap_or_else(|| value.span())),
            parameter: parameter.clone(),
            reason: one_line(error.message()),
        })?;
        match ignored {
            None => Ok(Some(read)),
            Some((span, field)) => {
                Err(ConfigurationError::NoSuchField { at: self.place(span), parameter, field })
            }
        }
    }

    fn root(&self) -> DeTable<'_> {
        DeTable::parse_recoverable(&self.text).0.into_inner()
    }

    /// What stands in the file for one operator: in its own table, and in the short one.
    fn tables_of<'r, 't>(
        &self,
        root: &'r DeTable<'t>,
        fragment: &str,
        operator: &str,
    ) -> impl Iterator<Item = &'r DeTable<'t>> + use<'r, 't> {
        let inner = |table: &'r DeTable<'t>, name: &str| table.get(name).and_then(table_in);
        let full =
            inner(root, fragment).filter(|_| !fragment.is_empty()).and_then(|table| inner(table, operator));
        let is_only = self.only.as_deref() == Some(fragment) && operator != fragment;
        let short = inner(root, operator).filter(|_| fragment.is_empty() || is_only);
        [full, short].into_iter().flatten()
    }

    /// Everything in the file that nobody asked for, by line.
    #[must_use]
    pub fn unasked(&self, operators: &[Asked<'_>]) -> Vec<ConfigurationError> {
        let mut errors = Vec::new();
        let fragments = || operators.iter().map(|known| known.fragment).filter(|name| !name.is_empty());
        // An operator at the top: of an application without fragments, or of its only one.
        let is_top =
            |known: &&Asked<'_>| known.fragment.is_empty() || self.only.as_deref() == Some(known.fragment);
        for (key, value) in &self.root() {
            let name: &str = key.get_ref();
            if fragments().any(|fragment| fragment == name) {
                self.unasked_in_fragment(name, key.span(), value, operators, &mut errors);
            } else if let Some(known) = operators.iter().filter(is_top).find(|known| known.operator == name) {
                self.unasked_in_operator(known, key.span(), value, &mut errors);
            } else {
                let tops = operators.iter().filter(is_top).map(|known| known.operator);
                let existing = distinct(fragments().chain(tops));
                let (at, table) = (self.place(key.span()), name.to_owned());
                errors.push(ConfigurationError::NoSuchTable { at, table, existing });
            }
        }
        errors.sort_by_key(ConfigurationError::line);
        errors
    }

    fn unasked_in_fragment(
        &self,
        fragment: &str,
        span: Range<usize>,
        value: &Value<'_>,
        operators: &[Asked<'_>],
        errors: &mut Vec<ConfigurationError>,
    ) {
        let Some(inner) = table_in(value) else {
            errors.push(ConfigurationError::NoTable { at: self.place(span), table: fragment.to_owned() });
            return;
        };
        for (key, value) in inner {
            let name: &str = key.get_ref();
            let mut of_fragment = operators.iter().filter(|known| known.fragment == fragment);
            if let Some(known) = of_fragment.clone().find(|known| known.operator == name) {
                self.unasked_in_operator(known, key.span(), value, errors);
            } else {
                let existing = distinct(of_fragment.by_ref().map(|known| known.operator));
                errors.push(ConfigurationError::NoSuchOperator {
                    at: self.place(key.span()),
                    fragment: fragment.to_owned(),
                    operator: name.to_owned(),
                    existing,
                });
            }
        }
    }

    fn unasked_in_operator(
        &self,
        known: &Asked<'_>,
        span: Range<usize>,
        value: &Value<'_>,
        errors: &mut Vec<ConfigurationError>,
    ) {
        let operator = if known.fragment.is_empty() {
            known.operator.to_owned()
        } else {
            format!("{}.{}", known.fragment, known.operator)
        };
        let Some(inner) = table_in(value) else {
            errors.push(ConfigurationError::NoTable { at: self.place(span), table: operator });
            return;
        };
        for key in inner.keys().filter(|key| !known.parameters.contains(&&**key.get_ref())) {
            let name: &str = key.get_ref();
            let existing = distinct(known.parameters.iter().copied());
            errors.push(ConfigurationError::NoSuchParameter {
                at: self.place(key.span()),
                operator: operator.clone(),
                parameter: name.to_owned(),
                existing,
            });
        }
    }

    fn place(&self, span: Range<usize>) -> Place {
        let before = self.text.as_bytes().iter().take(span.start);
        Place { file: self.file.clone(), line: 1 + before.filter(|byte| **byte == b'\n').count() }
    }
}

fn table_in<'v, 't>(value: &'v Value<'t>) -> Option<&'v DeTable<'t>> {
    if let DeValue::Table(table) = value.get_ref() { Some(table) } else { None }
}

/// Where a field stands that a struct does not have; where its struct stands, if it is not found.
fn field_span(value: &Value<'_>, field: &serde_ignored::Path<'_>) -> Range<usize> {
    fn find<'v, 't>(
        value: &'v Value<'t>,
        field: &serde_ignored::Path<'_>,
    ) -> Option<(Range<usize>, &'v Value<'t>)> {
        use serde_ignored::Path;
        match field {
            Path::Root => Some((value.span(), value)),
            Path::Seq { parent, index } => match find(value, parent)?.1.get_ref() {
                DeValue::Array(array) => array.get(*index).map(|item| (item.span(), item)),
                _ => None,
            },
            Path::Map { parent, key } => {
                let inner = table_in(find(value, parent)?.1)?;
                inner.get_key_value(key.as_str()).map(|(key, value)| (key.span(), value))
            }
            Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => {
                find(value, parent)
            }
        }
    }
    find(value, field).map_or_else(|| value.span(), |(span, _)| span)
}

/// How a parameter is called in a file.
fn path(fragment: &str, operator: &str, key: &str) -> String {
    let names = [fragment, operator, key];
    names.into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(".")
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    for name in names {
        if !distinct.iter().any(|known| known == name) {
            distinct.push(name.to_owned());
        }
    }
    distinct
}

fn one_line(message: &str) -> String {
    message.lines().collect::<Vec<_>>().join("; ")
}
