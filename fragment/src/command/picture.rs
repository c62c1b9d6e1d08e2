//! What `--graph` asks for.

use std::{
    ffi::{OsStr, OsString},
    path::PathBuf,
};

use clap_lex::OsStrExt;

use super::CommandError;

/// A picture of the graph that somebody wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PictureRequest {
    /// In which language.
    pub language: PictureLanguage,
    /// Where it goes; `None` is the standard output.
    pub file: Option<PathBuf>,
}

/// A language for graphs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PictureLanguage {
    /// Mermaid, which Markdown viewers draw.
    #[default]
    Mermaid,
    /// Graphviz.
    Dot,
}

impl PictureRequest {
    /// `mermaid`, `dot`, or one of them with `:FILE`.
    pub(super) fn parse(text: &OsStr) -> Result<Self, CommandError> {
        let (language, file) = match text.split_once(":") {
            Some((_, file)) if file.is_empty() => {
                return Err(CommandError::Picture { found: text.to_owned() });
            }
            Some((language, file)) => (language, Some(PathBuf::from(OsString::from(file)))),
            None => (text, None),
        };
        let language = match language.to_str() {
            Some("mermaid") => PictureLanguage::Mermaid,
            Some("dot") => PictureLanguage::Dot,
            _ => return Err(CommandError::Picture { found: text.to_owned() }),
        };
        Ok(Self { language, file })
    }
}
